/* SPDX-License-Identifier: MIT
 *
 * Training that fails or whose result is doubtful: messages, exit codes and results. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    shell_into("set",
               "$downhill data gen --format idx --samples 600 --test-samples 200 --features 20 "
               "--classes 4 -o $scratch/set");
    return 0;
}

/* Writes features near 5e5, which are too large for any usual learning rate. */
static void make_unscaled(void)
{
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 240; i++) { k = i % 3; print k, \"1:\" 500000 + k * "
              "1000 + i * 37 % 100, \"2:\" 400000 - k * 1000 + i * 53 % 100 } }' "
              ">$scratch/unscaled"),
        EXIT_OK);
}

/* Exit code 1, a reason on stderr and in the results, and no model. */
static void test_train__failed__message_and_no_model(void **state)
{
    (void)state;
    static const struct {
        const char *options, *message, *remedy;
    } cases[] = {
        {"--data $set --epochs 2 --lr 1e4", "above the 3 of weights that are all 0; ",
         "try --lr 0."},
        {"--data $set --epochs 4 --lr 1e4 --validation 20%", "above the 3 of weights that",
         "try --lr 0."},
        {"--data $set --lr 1e6 --reg 1e6", "diverged: the loss is no longer finite in epoch",
         "try --lr 0."},
        {"--data libsvm:$scratch/unscaled", "above the 2 of weights that are all 0; ",
         "try --normalize standardize"},
        {"--data libsvm:$scratch/unscaled --loss softmax",
         "above the 1.099 of weights that are all 0; ", "try --normalize standardize"},
        {"--data libsvm:$scratch/unscaled --normalize center --lr 1e6 --reg 1e6 --epochs 40",
         "diverged: the loss is no longer finite in epoch", "try --normalize standardize"},
        {"--data libsvm:$scratch/unscaled --method numerical --iterations 9",
         "above the 2 of weights that are all 0; ", "try --normalize standardize"},
    };
    make_unscaled();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill train %s --model $scratch/f.npz --json "
                             "$scratch/f.json",
                             cases[i].options) > 0);
        const int code = shell(command);
        const char *line = after_warnings(shell_err);
        if (code != EXIT_CHECK || strstr(line, cases[i].message) == NULL ||
            strstr(line, cases[i].remedy) == NULL || count_of(line, '\n') != 1)
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        json_t *root = parsed_file("f.json");
        const char *reason = string(json_array_get(json_object_get(root, "training"), 0), "failed");
        assert_non_null(strstr(line, reason));
        json_decref(root);
        static const char *const forbidden[] = {"nan", "inf ", "inf\n", "inf;", "inf,"};
        for (size_t w = 0; w < sizeof forbidden / sizeof forbidden[0]; w++)
            assert_true(strstr(shell_out, forbidden[w]) == NULL &&
                        strstr(line, forbidden[w]) == NULL);
        assert_int_equal(shell("test -e $scratch/f.npz"), 1);
        shell("rm $scratch/f.json");
        free(command);
    }
    assert_int_equal(shell("$downhill train --data libsvm:$scratch/unscaled --normalize "
                           "standardize --quiet --json $scratch/f.json"),
                     EXIT_OK);
    assert_null(strstr(shell_err, "learning rate"));
    json_t *root = parsed_file("f.json");
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    assert_true(json_is_null(json_object_get(run, "failed")) && number(run, "final_loss") < 2.0);
    json_decref(root);
    shell("rm $scratch/f.json $scratch/unscaled");
}

/* If f32 overflows, messages say so in words and never print nan or inf. */
static void test_train__f32_overflow__message_without_nan_or_inf(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *message;
    } cases[] = {
        {1, "train", "no longer finite in epoch 1, step 1, at learning rate 0.02; try --normalize"},
        {1, "train --loss softmax", "no longer finite in epoch 1, step 1"},
        {1, "train --method numerical", "try a larger --h, or --normalize standardize"},
        {0, "train --method lbfgs", ""},
        {0, "train --method random-search --tries 9", "above the 2 of weights that are all 0"},
        {0, "train --method local-search --tries 9 --scale 10", "above the 2 of weights"},
        {0, "train --normalize standardize", ""},
        {0, "step-sweep --scale 10", "no point has a finite loss"},
        {0, "landscape --points 5 --range 1e9 --loss softmax", ""},
        {0, "landscape --points 3 --directions 2 --range 1e9 --loss softmax --scale 10", ""},
        {1, "gradcheck --isa scalar --loss hinge", "overflows f32; try --normalize standardize"},
    };
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 60; i++) print i % 3, \"1:\" 3e37 * (1 + i "
              "% 3), \"2:\" 1e36 * i }' >$scratch/big"),
        EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill %s --data libsvm:$scratch/big >$scratch/o 2>$scratch/e; "
                             "code=$?; cat $scratch/e >&2; grep -wiE '(-?nan|-?inf)' $scratch/o "
                             "$scratch/e && exit 99; exit $code",
                             cases[i].command) > 0);
        const int code = shell(command);
        if (code != cases[i].code || strstr(shell_err, cases[i].message) == NULL)
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        free(command);
    }
    shell("rm $scratch/big $scratch/o $scratch/e");
}

/* If training fails on one ISA level, the others still run, but the command fails. */
static void test_train__all_levels_failed__each_in_the_results(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $set --lr 1e6 --reg 1e6 --isa all --json -"),
                     EXIT_CHECK);
    json_t *root = parsed(shell_out), *runs = json_object_get(root, "training");
    assert_true(json_array_size(runs) >= 2); /* scalar and an auto_ level */
    for (size_t i = 0; i < json_array_size(runs); i++)
        assert_non_null(strstr(string(json_array_get(runs, i), "failed"), "no longer finite"));
    json_decref(root);
}

static void test_train__doubtful_result__warning(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *options, *message;
    } cases[] = {
        {0, "--data libsvm:$scratch/unscaled --lr 1e-12",
         "the features are too large for a learning rate of 1e-12"},
        {1, "--data libsvm:$scratch/unscaled",
         "the features are too large for a learning rate of "
         "0.02: the norm of a sample is about 6.4e+05; try "
         "--normalize standardize"},
        {0, "--data $set --method random-search --tries 1 --scale 10", "above the 3 of weights"},
        {0, "--data $set --lr 0 --epochs 1",
         "predicts every training sample as class '0'; try --normalize standardize"},
        {0, "--data $set --lr 0 --epochs 1 --normalize standardize",
         "predicts every training sample as class '0'; try a lower --lr or more --epochs"},
        {0, "--data libsvm:$scratch/unlike --lr 0",
         "2 of 12 classes have no training sample, so their samples cannot be predicted; check "
         "that the labels are classes"},
        {0, "--data $set --epochs 1", "have no training sample"},
        {0, "--data $set --epochs 10", "class '"},
        {0, "--data $set --epochs 10", "the learning rate"},
        {1, "--data $set --epochs 1000000 --lr 1e6 --reg 1e6", "no results are kept"},
        {1, "--data $set --epochs 1000000 --lr 1e6 --reg 1e6 --json $scratch/f.json",
         "no results are kept"},
        {1, "--data $set --epochs 3 --lr 1e6 --reg 1e6", "no results are kept"},
        {1, "--data $set --epochs 1000000 --lr 1e6 --reg 1e6 --model $scratch/f.npz",
         "--checkpoint FILE keeps"},
        {1, "--data $set --epochs 3 --lr 1e6 --reg 1e6 --model $scratch/f.npz", "--checkpoint"},
    };
    static const bool expected[] = {false, true,  true, true,  true,  true, false,
                                    false, false, true, false, false, true, false};
    make_unscaled();
    assert_int_equal(shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i 1:$i; done "
                           ">$scratch/unlike"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(asprintf(&command, "$downhill train %s", cases[i].options) > 0);
        const int code = shell(command);
        if (code != cases[i].code || (strstr(shell_err, cases[i].message) != NULL) != expected[i])
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        free(command);
    }
    shell("rm $scratch/unscaled $scratch/unlike $scratch/f.json");
}

/* All features of a sample are large together, as the pixels of photographs are. --isa scalar, so
 * that f32 results are bit-identical on every machine. */
static void test_train__oscillating_weights__lower_rate_advised(void **state)
{
    (void)state;
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 900; i++) { k = i % 3; printf \"%d\", k; for (f = 1; f "
              "<= 40; f++) printf \" %d:%.3f\", f, 1 + (i * 31 % 89) / 89 + (f % 3 == k) * 0.4 + "
              "(i * (7 * f + 3) % 97) / 97 * 2; print \"\" } }' >$scratch/jump && $downhill train "
              "--data libsvm:$scratch/jump,$scratch/jump --batch 30 --lr 0.05 --epochs 5 --isa "
              "scalar"),
        EXIT_OK);
    assert_non_null(strstr(shell_err, "the weights oscillate"));
    assert_non_null(strstr(shell_err, "; try --lr 0.003\n"));
    assert_int_equal(shell("$downhill train --data libsvm:$scratch/jump,$scratch/jump --batch 30 "
                           "--lr 0.003 --epochs 5 --isa scalar"),
                     EXIT_OK);
    assert_null(strstr(shell_err, "learning rate"));
    shell("rm $scratch/jump");
}

static void test_train__one_class__refused(void **state)
{
    (void)state;
    assert_int_equal(shell("printf '7 1:1\\n7 1:2\\n' >$scratch/one && $downhill train --data "
                           "libsvm:$scratch/one,$scratch/one"),
                     EXIT_DATA);
    assert_non_null(strstr(shell_err, "every training sample is of class '7'"));
    shell("rm $scratch/one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train__failed__message_and_no_model),
        cmocka_unit_test(test_train__f32_overflow__message_without_nan_or_inf),
        cmocka_unit_test(test_train__all_levels_failed__each_in_the_results),
        cmocka_unit_test(test_train__doubtful_result__warning),
        cmocka_unit_test(test_train__oscillating_weights__lower_rate_advised),
        cmocka_unit_test(test_train__one_class__refused),
    };
    return cmocka_run_group_tests_name("cli_failed", tests, setup, shell_close);
}
