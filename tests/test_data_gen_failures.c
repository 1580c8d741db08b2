/* SPDX-License-Identifier: MIT
 *
 * `downhill data gen`: a failure prints one line and leaves no files. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static void assert_success(const char *command)
{
    const int code = shell(command);
    if (code != EXIT_OK || shell_err[0] != '\0')
        fail_msg("%s: exit code %d\nerr: %s", command, code, shell_err);
}

static void test_data_gen__invalid_commands__one_line_and_no_files(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *message;
    } bad[] = {
        {2, "$downhill data", "give gen or check"},
        {2, "$downhill data make", "'make' is not known; give gen or check"},
        {2, "$downhill data gen", "--output is missing"},
        {2, "$downhill data gen -o", "needs a value"},
        {2, "$downhill data gen -o ''", "no name"},
        {2, "$downhill data gen -o $scratch/a,b", "a comma"},
        {2, "$downhill data gen -o $scratch/", "a directory; add a prefix for the file names"},
        {2, "$downhill data gen -o $scratch/new --format hdf5", "'hdf5' is not one of idx|npy"},
        {2, "$downhill data gen -o $scratch/new --classes 1",
         "1 is out of range; give a whole number from 2"},
        {2, "$downhill data gen -o $scratch/new --noise 1.5", "1.5 is out of range"},
        {2, "$downhill data gen -o $scratch/new --features 1048577", "1048577 is out of range"},
        {2, "$downhill data gen -o $scratch/new --samples 99999999999999999999", "is out of range"},
        {2,
         "$downhill data gen -o $scratch/new --samples 4294967295 --features 1048576 --dtype f32 "
         "--test-samples 4294967296",
         "4294967296 is out of range"},
        {2, "$downhill data gen -o $scratch/new --format idx --dtype f32", "idx files hold bytes"},
        {2, "$downhill data gen -o $scratch/new --format idx --classes 257", "at most 256"},
        {2, "$downhill data gen -o $scratch/new --format cifar10 --features 784", "have 3072"},
        {2, "$downhill data gen -o $scratch/new --format cifar10 --classes 9", "have 10"},
        {2, "$downhill data gen -o $scratch/new --format cifar100 --classes 10", "have 100"},
        {2, "$downhill data gen -o $scratch/new --format cifar10 --samples 4", "5 training files"},
        {2, "$downhill data gen -o $scratch/new --format cifar10 --test-samples 0", "a test file"},
        {2, "$downhill data gen -o $scratch/new --json $scratch/no/where", "cannot write"},
        {2, "$downhill data gen -o $scratch/no/where", "No such file"},
        {2, "$downhill data gen -o $scratch/no/where --format cifar10", "No such file"},
        {2,
         "mkdir $scratch/new-test-y.npy; $downhill data gen -o $scratch/new; code=$?; "
         "rmdir $scratch/new-test-y.npy; exit $code",
         "new-test-y.npy: is a directory"},
        /* Writing fails in the middle, as on a full disk. */
        {70, "trap '' XFSZ; ulimit -f 64; $downhill data gen -o $scratch/new", "File too large"},
        {70, "trap '' XFSZ; ulimit -f 64; $downhill data gen -o $scratch/new --format libsvm",
         "new-train.libsvm: cannot write: File too large; nothing was written; raise the limit of "
         "ulimit -f"},
        {70, "trap '' XFSZ; ulimit -f 64; $downhill data gen -o $scratch/new --format cifar10",
         "data_batch_1.bin: cannot write: File too large"},
        {70,
         "trap '' XFSZ; ulimit -f 4; $downhill data gen -o $scratch/new --samples 9 --features 9 "
         "--classes 4 --test-samples 5000",
         "new-test-"},
    };
    assert_success("true"); /* creates the files for stdout and stderr */
    const size_t before = scratch_count();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int code = shell(bad[i].command);
        if (code != bad[i].code || count_of(shell_err, '\n') != 1 ||
            strstr(shell_err, bad[i].message) == NULL || shell_out[0] != '\0' ||
            scratch_count() > before)
            fail_msg("%s: exit code %d, %zu new files\nout: %s\nerr: %s", bad[i].command, code,
                     scratch_count() - before, shell_out, shell_err);
    }
}

/* The program chooses these names itself, so it never replaces existing files. */
static void test_data_gen__existing_files__refused_and_kept(void **state)
{
    (void)state;
    assert_success("$downhill data gen --samples 60 --test-samples 20 --quiet -o $scratch/set; "
                   "cat $scratch/set-* | cksum");
    char *sum = strdup(shell_out);
    for (int only_b = 0; only_b < 2; only_b++) {
        assert_int_equal(shell("$downhill data gen --seed 2 --samples 99999999 -o $scratch/set"),
                         EXIT_USAGE);
        assert_non_null(strstr(shell_err, only_b ? "set-b.npy: already exists"
                                                 : "set-train-x.npy: already exists"));
        if (!only_b)
            assert_success("mkdir $scratch/aside; mv $scratch/set-[!b]* $scratch/aside");
        else
            assert_success("mv $scratch/aside/* $scratch; rmdir $scratch/aside");
    }
    assert_success("cat $scratch/set-* | cksum; rm $scratch/set-*");
    assert_string_equal(shell_out, sum);
    free(sum);
}

static void test_data_gen__interrupted__leaves_no_files(void **state)
{
    (void)state;
    const size_t before = scratch_count();
    /* Signals once, after the handlers are installed: a second signal would end the program at
     * once. */
    assert_int_equal(
        shell("$downhill data gen --samples 100000000 --quiet -o $scratch/big & p=$!\n"
              "until grep -q '^SigCgt:.*[4-7c-f][0-9a-f]\\{3\\}$' /proc/$p/status; do\n"
              " kill -0 $p || exit 99; sleep 0.01; done\n"
              "sleep 0.1; kill -TERM $p; wait $p"),
        128 + 15);
    assert_non_null(strstr(shell_err, ": interrupted; nothing was written\n"));
    assert_string_equal(shell_out, "");
    assert_int_equal(scratch_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_gen__invalid_commands__one_line_and_no_files),
        cmocka_unit_test(test_data_gen__existing_files__refused_and_kept),
        cmocka_unit_test(test_data_gen__interrupted__leaves_no_files),
    };
    return cmocka_run_group_tests_name("data_gen_failures", tests, shell_open, shell_close);
}
