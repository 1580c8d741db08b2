/* SPDX-License-Identifier: MIT
 *
 * The program from the command line: exit codes and output of whole commands. $downhill is the
 * program, $scratch an empty directory. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void test_cli__valid_commands__exit_0_and_output(void **state)
{
    (void)state;
    static const struct {
        const char *command, *message;
    } good[] = {
        {"$downhill --help", "Exit codes:"},
        {"$downhill -h", "Commands:"},
        {"$downhill help", "Commands:"},
        {"$downhill help train", "--lr X"},
        {"$downhill --version", "downhill 0."},
        {"$downhill info --help", "--json"},
        {"$downhill verify --help", "--seed N"},
        {"$downhill bench --help", "--filter REGEX"},
        {"$downhill info", "Machine    m-"},
        {"$downhill doctor --json $scratch/doctor.json && grep -q '\"findings\"' "
         "$scratch/doctor.json && rm $scratch/doctor.json",
         "hardware counters"},
        {"$downhill train --help", "--loss hinge|softmax"},
        {"$downhill info", "ISA level"},
        {"DOWNHILL_ISA=scalar $downhill info",
         "scalar        yes       yes   yes   yes        yes"},
        {"DOWNHILL_DISABLE=avx2 $downhill info", "avx2 (DOWNHILL_DISABLE)"},
        {"$downhill verify --isa scalar --kernel score_f32 --seed 5 --quick", " 0 failed, seed 5"},
        {"DOWNHILL_ISA=scalar $downhill verify --case 12", "checks on 1 ISA level"},
        {"$downhill reproduce --isa scalar --threads 1", "2 models compared, 0 different; 4 not"},
        {"OMP_THREAD_LIMIT=1 $downhill reproduce --isa scalar 2>/dev/null",
         "u8    hinge    scalar       1   "},
        {"$downhill verify --isa scalar --stride 1000",
         "verify: 162 checks on 1 ISA level, 0 failed"},
        {"DOWNHILL_ISA=scalar $downhill bench --list --isa all --filter score.*n:1/d:784",
         "score_f32/scalar/n:1/d:784/c:10\n"},
        {"$downhill bench --list", "score_f32/scalar/n:256/d:3072/c:10\n"},
        {"$downhill bench --list --shape 3x4x5 --filter '^grad' --isa scalar",
         "grad_f32/scalar/n:3/d:4/c:5\n"},
        {"$downhill bench --formulas", "2*n*d*c + n*c"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const int code = shell(good[i].command);
        if (code != EXIT_OK || strstr(shell_out, good[i].message) == NULL ||
            (shell_err[0] != '\0' && strstr(good[i].command, "--list") == NULL))
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", good[i].command, code, shell_out,
                     shell_err);
    }
}

static void test_cli__invalid_commands__one_line_and_exit_code(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *message;
    } bad[] = {
        {2, "$downhill", "no command given"},
        {2, "$downhill frobnicate", "no command 'frobnicate'"},
        {2, "$downhill help frobnicate", "no command 'frobnicate'"},
        {2, "$downhill --frobnicate", "--frobnicate"},
        {2, "$downhill info --frobnicate", "info: --frobnicate is not an option"},
        {2, "$downhill info -x", "info: -x is not an option"},
        {2, "$downhill bench --quick=3", "--quick=3: the option takes no value"},
        {2, "$downhill \"$(printf 'a\\nb')\"", "no command 'a?b'"},
        {2, "$downhill bench --filter \"$(printf 'x\\033y')\"", "'x?y'"},
        {4, "DOWNHILL_DISABLE=\"$(printf 'avx3\\nfma')\" $downhill verify", "avx3?fma: no such"},
        {4, "DOWNHILL_DISABLE=avx,avx3,fma $downhill verify", "=avx3: no such feature"},
        {2, "$downhill info extra", "unexpected argument 'extra'"},
        {2, "$downhill bench extra --frobnicate", "--frobnicate is not an option"},
        {4, "DOWNHILL_ISA=sse9 $downhill info", "DOWNHILL_ISA=sse9"},
        {4, "DOWNHILL_DISABLE=avx3 $downhill verify", "avx3"},
        {4, "DOWNHILL_ISA=avx2 DOWNHILL_DISABLE=fma $downhill verify", "fma (DOWNHILL_DISABLE)"},
        {4, "$downhill verify --isa sse9", "--isa: sse9: no such ISA level; known: scalar"},
        {4, "DOWNHILL_ISA=sse9 $downhill verify", "DOWNHILL_ISA: sse9: no such"},
        {4, "DOWNHILL_DISABLE=fma $downhill verify --isa avx2", "fma (DOWNHILL_DISABLE)"},
        {2, "$downhill verify --kernel nosuch", "no kernel 'nosuch'"},
        {2, "$downhill verify --stride 0", "0 is out of range"},
        {2, "$downhill verify --case 99999999", "no case 99999999"},
        {2, "$downhill verify --case 99999999999999",
         "99999999999999 is out of range; give a whole number from 0 to 2^31-1"},
        {2, "$downhill verify --seed -1", "'-1' is not a whole number"},
        {2, "$downhill verify --seed 9223372036854775808", "2^63-1"},
        {2, "$downhill verify --seed", "--seed needs a value"},
        {2, "$downhill bench --filter no_such_row", "no row matches 'no_such_row'"},
        {2, "$downhill bench --list --filter no_such_row", "no row matches 'no_such_row'"},
        {2, "$downhill bench --filter '('", "not a regular expression"},
        {2, "$downhill bench --shape 3x4", "'3x4' is not"},
        {2, "$downhill bench --shape 0x4x5", "'0x4x5' is not"},
        {2, "$downhill bench --shape -1x-1x-1", "'-1x-1x-1' is not"},
        {2, "$downhill bench --shape 1000000000x1x1", "each from 1 to 999999999"},
        {2, "$downhill bench --shape ' 3x4x5'", "' 3x4x5' is not"},
        {2, "$downhill bench --shape 3x4x5x", "'3x4x5x' is not"},
        {2, "$downhill bench --repetitions 0", "0 is out of range"},
        {2, "$downhill bench --repetitions 1e3", "'1e3' is not"},
        {2, "$downhill bench --min-time 5minutes", "'5minutes' is not"},
        {2, "$downhill bench --min-time 0", "'0' is not"},
        {2, "$downhill bench --cache warm", "'warm' is not hot, cold"},
        {2, "$downhill bench --precision 2",
         "2 is out of range; give a number from 0 to 1, as in 0.01 or 1%"},
        {2, "$downhill bench --precision 1%%", "'1%%' is not"},
        {2, "$downhill bench --no-ceilings --ceilings", "leave one out"},
        {3, "$downhill bench --resume $scratch/none.json", "none.json"},
        {3, "$downhill bench --ceilings --ceilings-from /dev/null", "/dev/null"},
        {4, "$downhill bench --isa sse9", "no such ISA level"},
        {2, "$downhill bench --json $scratch/nowhere/x.json", "nowhere/x.json: cannot write"},
        {2, "$downhill bench --json $scratch", "is a directory"},
        {2, "$downhill bench --json ''", "bench: --json: the name is empty; name a file\n"},
        {2, "$downhill bench --resume ''", "bench: --resume: the name is empty; name a file\n"},
        {2, "$downhill bench --ceilings-from=", "--ceilings-from: the name is empty; name a file"},
        {2, "$downhill doctor --json ''", "doctor: --json: the name is empty; name a file\n"},
        {2, "$downhill train --model ''", "train: --model: the name is empty; name a file\n"},
        {2, "$downhill train --checkpoint ''", "train: --checkpoint: the name is empty;"},
        {2, "$downhill train --resume ''", "train: --resume: the name is empty; name a file\n"},
        {2, "$downhill train --json ''", "train: --json: the name is empty; name a file\n"},
        {2, "$downhill predict --model ''", "predict: --model: the name is empty; name a file\n"},
        {2, "$downhill predict --csv ''", "predict: --csv: the name is empty; name a file\n"},
        {2, "$downhill landscape --csv ''", "landscape: --csv: the name is empty; name a file\n"},
        {2, "$downhill data gen --json ''", "data gen: --json: the name is empty; name a file\n"},
        {2, "$downhill bench --list --json $scratch/x.json", "leave one out"},
        {2, "$downhill train --data nosuch", "'nosuch' is not known"},
        {2, "$downhill train --data /x.csv",
         "'/x.csv' does not name its format; give fashion-mnist, idx:IMAGES,LABELS["},
        {2, "$downhill data gen -o -", "--output -: several files cannot go to standard output"},
        {2, "$downhill data gen --format cifar10 -o -", "give a directory"},
        {2, "$downhill data gen -o /dev/null", "--output /dev/null: is a device"},
        {2, "$downhill data gen -o .",
         "--output .: is a directory; add a prefix for the file names, such as ./set"},
        {2, "$downhill report -o - /dev/stdin", "--output -: a report is a directory of files"},
        /* Standard output and error are regular files here. */
        {2, "$downhill doctor --json /dev/stdout",
         "/dev/stdout: is the file of standard output, and replacing it would lose what is written "
         "there; name another file, or '-' for standard output"},
        {2, "$downhill bench --json /proc/self/fd/1", "fd/1: is the file of standard output"},
        {2, "$downhill data check --json $scratch/cli-out", "is the file of standard output"},
        {2, "$downhill data gen --samples 5 -o $scratch/none --json /dev/stderr",
         "/dev/stderr: is the file of standard error"},
        {2, "$downhill landscape --three-points --csv /dev/fd/1",
         "/dev/fd/1: is the file of standard output, and replacing it would lose what is written "
         "there; name another file\n"},
        {2, "$downhill train --data X.npy,y.npy", "; did you mean npy:X.npy,y.npy?"},
        {2, "$downhill train --data a/mnist.npz", "; did you mean npz:a/mnist.npz?"},
        {2, "$downhill train --data data.svm", "; did you mean libsvm:data.svm?"},
        {2, "$downhill train --data x.idx,y.idx", "; did you mean idx:x.idx,y.idx?"},
        {2, "$downhill train --data t-images-idx3-ubyte.gz,y", "; did you mean idx:t-images-idx3-"},
        {2, "$downhill train --data npy:X.npy,", "'npy:X.npy,' has an empty file name; give npy:"},
        {2, "$downhill train --data idx:one", "names 1 file;"},
        {3, "$downhill train --data idx:$scratch/a,$scratch/b", "cannot open"},
        {3, "$downhill train --data idx:/tmp,/tmp", "name a file"},
        {3, "DOWNHILL_FASHION_MNIST=$scratch $downhill train", "holds the four .gz files"},
        {2, "$downhill train --loss log", "'log' is not one of hinge|softmax"},
        {2, "$downhill train --loss hing", "'hing' is not one of"},
        {2, "$downhill train --lr nan", "'nan' is not"},
        {2, "$downhill train --lr -1", "-1 is out of range"},
        {2, "$downhill train --lr 1x", "'1x' is not"},
        {2, "$downhill train --batch 0", "0 is out of range"},
        {2, "$downhill train --batch ''", "'' is not"},
        {2, "$downhill train --epochs 99999999999999999999",
         "is out of range; give a whole number from 1 to 1000000\n"},
        {2, "$downhill train --dtype u8 --method lbfgs", "use --dtype f32"},
        {2, "$downhill reproduce --threads 0", "0 is out of range"},
        {4, "$downhill reproduce --isa sse9", "no such ISA level"},
        {3, "$downhill train --mmap --dtype f32", "cannot be mapped"},
        {2, "$downhill train --shuffle all", "'all' is not one of rows|batch|none"},
        {2, "$downhill train --normalize max", "'max' is not one of none|center|standardize"},
        {3, "$downhill train --mmap", "compressed data cannot be mapped"},
        {3, "$downhill train --data cifar10:$scratch", "data_batch_1.bin"},
        {2, "$downhill train --threads 0", "0 is out of range"},
        {2, "$downhill train --threads 257",
         "257 is out of range; give a whole number from 1 to 256\n"},
        {2, "$downhill bench --threads 256", "is more than the"},
        {4, "$downhill train --isa sse9", "no such ISA level"},
        {2, "$downhill train --json $scratch/nowhere/x.json", "nowhere/x.json: cannot write"},
        {1,
         "$downhill train --lr 1000000 --reg 1000000 --isa scalar --json $scratch/x.json; code=$?; "
         "rm $scratch/x.json; exit $code",
         "try --lr"},
        {2, "$downhill report", "required"},
        {2, "$downhill report --frobnicate x.json", "--frobnicate"},
        {3, "$downhill report $scratch/nowhere.json", "No such file"},
        {3, "$downhill report $scratch/cli-out", "not JSON"},
        {2, "$downhill plot $scratch/cli-out", "-o/--output"},
        {3, "$downhill plot $scratch/cli-out -o $scratch/x.svg", "neither JSON nor an NPZ"},
        {70, "$downhill report --help >/dev/full", "standard output"},
        {70, "$downhill bench --list >/dev/full", "standard output"},
        {70, "$downhill info >/dev/full", "standard output"},
        {70, "$downhill info --json >/dev/full", "standard output"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int code = shell(bad[i].command);
        const char *line = shell_err; /* after any warnings, such as those of a sanitized build */
        while (strncmp(line, "downhill: warning: ", 19) == 0)
            line = strchr(line, '\n') + 1;
        if (code != bad[i].code || strstr(line, bad[i].message) == NULL ||
            count_of(line, '\n') != 1 || strncmp(line, "downhill: ", 10) != 0)
            fail_msg("%s: exit code %d, not %d\nout: %s\nerr: %s", bad[i].command, code,
                     bad[i].code, shell_out, shell_err);
    }
    assert_int_equal(scratch_count(), 2); /* stdout and stderr; no partial output is left */
}

/* No line of --help is wider than a terminal, and options of a method are under its heading. */
static void test_cli__help__fits_a_terminal(void **state)
{
    (void)state;
    static const char *const commands[] = {"info",       "doctor",   "verify",     "bench",
                                           "train",      "predict",  "gradcheck",  "landscape",
                                           "step-sweep", "data gen", "data check", "reproduce"};
    enum { COLUMNS = 80 };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char command[64];
        snprintf(command, sizeof command, "$downhill %s --help", commands[i]);
        assert_int_equal(shell(command), EXIT_OK);
        for (const char *line = shell_out; *line != '\0'; line = strchr(line, '\n') + 1)
            if (strcspn(line, "\n") > COLUMNS)
                fail_msg("%s: %.*s", command, (int)strcspn(line, "\n"), line);
    }
    assert_int_equal(shell("$downhill data --help"), EXIT_OK); /* which has no other option */
    assert_non_null(strstr(shell_out, "\nOptions:\n  --help"));
    assert_int_equal(shell("$downhill train --help"), EXIT_OK);
    const char *heading = strstr(shell_out, "\nRandom and local search:\n"),
               *tries = strstr(shell_out, "--tries N"), *data = strstr(shell_out, "\nData and");
    assert_true(heading != NULL && tries != NULL && data != NULL);
    assert_true(heading < tries && tries < data);
}

static void test_cli__info_json__one_chosen_level(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill info --json"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *machine = json_object_get(root, "machine");
    string(machine, "cpu_name");
    string(json_object_get(root, "build"), "compiler");
    size_t chosen = 0, i;
    json_t *level;
    json_array_foreach(json_object_get(machine, "levels"), i, level)
    {
        string(level, "name");
        const bool usable = json_is_true(json_object_get(level, "usable"));
        chosen += json_is_true(json_object_get(level, "chosen"));
        assert_int_equal(usable, string(level, "missing")[0] == '\0');
    }
    assert_int_equal(chosen, 1);
    json_decref(root);
}

static void test_cli__train_on_every_level__trains(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --isa all --epochs 2 --json -"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *training = json_object_get(root, "training");
    assert_true(json_array_size(training) >= 1);
    assert_string_equal(string(json_array_get(training, 0), "isa"), "scalar");
    size_t i;
    json_t *run;
    json_array_foreach(training, i, run)
    {
        assert_string_equal(string(run, "loss"), "hinge");
        assert_true(fabs(number(run, "first_loss") - 9.0) < 1e-4);
        assert_int_equal(json_array_size(json_object_get(run, "epochs")), 2);
        assert_true(number(run, "test_accuracy") > 0.7);
    }
    json_decref(root);
}

/* Plain builds only: under a sanitizer, phase times mean little, and ten epochs take long and cover
 * no more code. */
#ifndef DOWNHILL_INSTRUMENTED
/* Returns the share of a run's time that its phases account for. */
static double phases_share(const json_t *run)
{
    const json_t *phases = json_object_get(run, "phases");
    return (number(phases, "gather_s") + number(phases, "score_s") + number(phases, "loss_s") +
            number(phases, "grad_s") + number(phases, "update_s")) /
           number(run, "seconds");
}

static void test_cli__train_phases__cover_98_percent_of_the_time(void **state)
{
    (void)state;
    /* Retries, because other programs can add to the time outside the phases. */
    double max_share = 0.0;
    for (int tries = 0; tries < 10 && max_share < 0.98; tries++) {
        assert_int_equal(shell("$downhill train --epochs 2 --json -"), EXIT_OK);
        json_t *root = parsed(shell_out);
        const double share = phases_share(json_array_get(json_object_get(root, "training"), 0));
        assert_true(share <= 1.0);
        max_share = share > max_share ? share : max_share;
        json_decref(root);
    }
    if (max_share < 0.98)
        fail_msg("the phases cover %g of the time", max_share);
}

static void test_cli__train_10_epochs__83_percent_accuracy(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --json -"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    assert_int_equal(json_array_size(json_object_get(run, "epochs")), 10);
    assert_true(number(run, "test_accuracy") >= 0.83);
    json_decref(root);
}
#endif

static void test_cli__train_softmax__first_loss_and_output(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --loss softmax --epochs 1 --json -"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    assert_true(fabs(number(run, "first_loss") - log(10.0)) < 1e-5);
    json_decref(root);
    assert_int_equal(shell("$downhill train --loss softmax --epochs 1"), EXIT_OK);
    assert_non_null(strstr(shell_out, "epoch   1  loss "));
    assert_non_null(strstr(shell_out, "phases: gather "));
}

/* The result of training: the loss on all training samples, and the test accuracy. */
struct trained {
    double loss, accuracy;
};

static struct trained train_softmax(const char *options, const char *dtype)
{
    char *command;
    assert_true(asprintf(&command, "$downhill train --loss softmax --dtype %s --quiet --json - %s",
                         dtype, options) > 0);
    assert_int_equal(shell(command), EXIT_OK);
    free(command);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    const struct trained result = {number(run, "final_loss"), number(run, "test_accuracy")};
    json_decref(root);
    return result;
}

/* The limits are those that the documentation states: 0.1 % of the loss, 0.2 points of accuracy. */
static void test_cli__softmax_on_bytes__as_good_as_f32(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill data gen --format cifar10 --samples 5000 --test-samples 1000 "
                           "--noise 20% -o $scratch/cifar"),
                     EXIT_OK);
    static const char *const options[] = {
        "--epochs 5 --lr 0.05", "--epochs 5 --lr 0.02 --normalize standardize --momentum 0.9",
        "--epochs 5 --lr 0.02 --data cifar10:$scratch/cifar",
        "--epochs 5 --lr 0.001 --normalize standardize --data cifar10:$scratch/cifar"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        const struct trained bytes = train_softmax(options[i], "u8"),
                             f32 = train_softmax(options[i], "f32");
        if (!(fabs(bytes.loss - f32.loss) <= 1e-3 * f32.loss &&
              fabs(bytes.accuracy - f32.accuracy) <= 2e-3))
            fail_msg("%s: loss %g and accuracy %g on bytes, %g and %g on f32", options[i],
                     bytes.loss, bytes.accuracy, f32.loss, f32.accuracy);
    }
    shell("rm -r $scratch/cifar");
}

/* The loss that a line search sees must not depend on the number of threads either: without that these models differ. */
static void test_cli__lbfgs_reproducible__one_model_for_any_threads(void **state)
{
    (void)state;
    char first[65] = "";
    assert_int_equal(shell("$downhill data gen --samples 700 --test-samples 100 --features 100 "
                           "--classes 5 --noise 20% -o $scratch/noisy"),
                     EXIT_OK);
    for (int threads = 1; threads <= 5; threads += 2) {
        char *command;
        assert_true(
            asprintf(&command,
                     "$downhill train --method lbfgs --loss softmax --reproducible --reg "
                     "1e-6 --iterations 500 --tolerance 1e-12 --threads %d --quiet --json - "
                     "--data npy:$scratch/noisy-train-x.npy,$scratch/noisy-train-y.npy",
                     threads) > 0);
        const int code = shell(command);
        if (threads > 1 && code == EXIT_ENVIRONMENT) { /* a build without OpenMP */
            free(command);
            break;
        }
        assert_int_equal(code, EXIT_OK);
        free(command);
        json_t *root = parsed(shell_out);
        const json_t *run = json_array_get(json_object_get(root, "training"), 0);
        if (threads == 1)
            snprintf(first, sizeof first, "%s", string(run, "model_digest"));
        assert_string_equal(string(run, "model_digest"), first);
        json_decref(root);
    }
    shell("rm $scratch/noisy-*");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli__valid_commands__exit_0_and_output),
        cmocka_unit_test(test_cli__invalid_commands__one_line_and_exit_code),
        cmocka_unit_test(test_cli__help__fits_a_terminal),
        cmocka_unit_test(test_cli__info_json__one_chosen_level),
        cmocka_unit_test(test_cli__train_on_every_level__trains),
#ifndef DOWNHILL_INSTRUMENTED
        cmocka_unit_test(test_cli__train_phases__cover_98_percent_of_the_time),
        cmocka_unit_test(test_cli__train_10_epochs__83_percent_accuracy),
#endif
        cmocka_unit_test(test_cli__train_softmax__first_loss_and_output),
        cmocka_unit_test(test_cli__softmax_on_bytes__as_good_as_f32),
        cmocka_unit_test(test_cli__lbfgs_reproducible__one_model_for_any_threads),
    };
    return cmocka_run_group_tests_name("cli", tests, shell_open, shell_close);
}
