/* SPDX-License-Identifier: MIT
 *
 * `downhill predict` from the command line: the samples it scores, its messages and its files. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    shell_into("set",
               "$downhill data gen --format idx --samples 600 --test-samples 200 --features 20 "
               "--classes 4 -o $scratch/set");
    assert_int_equal(shell("$downhill train --data $set --model $scratch/m.npz --quiet"), EXIT_OK);
    return 0;
}

static void test_predict__trained_model__same_accuracy(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $set --model $scratch/again.npz --json "
                           "$scratch/t.json --quiet"),
                     EXIT_OK);
    assert_int_equal(shell("$downhill predict --data $set --model $scratch/again.npz --json - "
                           "--csv $scratch/p.csv --scores"),
                     EXIT_OK);
    json_t *predicted = parsed(shell_out), *trained = parsed_file("t.json");
    const json_t *p = json_object_get(predicted, "prediction");
    const json_t *t = json_array_get(json_object_get(trained, "training"), 0);
    assert_true(number(p, "accuracy") == number(t, "test_accuracy"));
    assert_string_equal(string(p, "model_digest"), string(t, "model_digest"));
    double total = 0.0, correct = 0.0;
    for (size_t j = 0; j < 4; j++)
        for (size_t l = 0; l < 4; l++) {
            const double count = json_number_value(
                json_array_get(json_array_get(json_object_get(p, "confusion"), j), l));
            total += count;
            correct += j == l ? count : 0.0;
        }
    assert_true(total == 200.0);
    assert_true(correct == 200.0 * number(p, "accuracy"));
    char *csv = read_text(scratch_path("p.csv"));
    assert_int_equal(count_of(csv, '\n'), 201);
    assert_int_equal(count_of(csv, ','), 201 * 9);
    free(csv);
    json_decref(predicted);
    json_decref(trained);
    shell("rm $scratch/again.npz $scratch/t.json $scratch/p.csv");
}

/* predict scores the samples that training held out; --set all scores each sample of the file once,
 * under its number in the file. */
static void test_predict__data_without_test_files__held_out_samples(void **state)
{
    (void)state;
    enum { ALL = 300, TEST = ALL / 6 };
    shell_into("plain",
               "$downhill data gen --format npy --samples 300 --test-samples 0 --features 9 "
               "--classes 3 -o $scratch/plain");
    assert_int_equal(shell("$downhill train --data $plain --seed 5 --model $scratch/p.npz --quiet "
                           "--json $scratch/t.json && $downhill predict --data $plain --model "
                           "$scratch/p.npz --json $scratch/p.json --csv $scratch/test.csv --quiet "
                           "&& $downhill predict --data $plain --model $scratch/p.npz --set all "
                           "--json $scratch/all.json --csv $scratch/all.csv --quiet"),
                     EXIT_OK);
    json_t *trained = parsed_file("t.json"), *test = parsed_file("p.json"),
           *all = parsed_file("all.json");
    const json_t *run = json_array_get(json_object_get(trained, "training"), 0);
    assert_true(number(json_object_get(test, "prediction"), "accuracy") ==
                number(run, "test_accuracy"));
    assert_true(number(json_object_get(test, "prediction"), "samples") == TEST);
    assert_true(number(json_object_get(all, "prediction"), "samples") == ALL);
    char *test_csv = read_text(scratch_path("test.csv")),
         *all_csv = read_text(scratch_path("all.csv"));
    size_t lines = 0, correct = 0, test_lines = 0;
    for (const char *line = strchr(all_csv, '\n') + 1; *line != '\0';
         line = strchr(line, '\n') + 1) {
        size_t sample;
        int in_test_set, label, prediction;
        assert_int_equal(sscanf(line, "%zu,%d,%d,%d", &sample, &in_test_set, &label, &prediction),
                         4);
        assert_int_equal(sample, lines); /* in the order of the file */
        /* The test samples are those of test.csv, with the same results. */
        const char *end = strchr(line, '\n') + 1;
        char *alone = strndup(line, (size_t)(end - line));
        assert_true((strstr(test_csv, alone) != NULL) == in_test_set);
        free(alone);
        test_lines += (size_t)in_test_set;
        correct += label == prediction;
        lines++;
    }
    assert_int_equal(lines, ALL);
    assert_int_equal(test_lines, TEST);
    assert_true(fabs((double)correct / ALL -
                     number(json_object_get(all, "prediction"), "accuracy")) < 1e-9);
    free(test_csv);
    free(all_csv);
    json_decref(trained);
    json_decref(test);
    json_decref(all);
    shell("rm $scratch/p.* $scratch/t.json $scratch/test.csv $scratch/all.*");
}

/* Too few new samples to hold out some: all are scored, unless --set asks for a test set. */
static void test_predict__too_few_samples_to_hold_out__all_scored(void **state)
{
    (void)state;
    shell_into("few", "$downhill data gen --format npy --samples 3 --test-samples 0 --features 8 "
                      "--classes 2 -o $scratch/few");
    assert_int_equal(shell("$downhill train --data $few,$scratch/few-train-x.npy,"
                           "$scratch/few-train-y.npy --quiet --model $scratch/few.npz"),
                     EXIT_OK);
    assert_int_equal(shell("$downhill predict --data $few --model $scratch/few.npz --set test"),
                     EXIT_DATA);
    assert_non_null(strstr(shell_err, "too few to hold out a sixth"));
    assert_int_equal(shell("$downhill predict --data $few --model $scratch/few.npz --csv "
                           "$scratch/few.csv"),
                     EXIT_OK);
    char *csv = read_text(scratch_path("few.csv"));
    assert_int_equal(count_of(csv, '\n'), 1 + 3);
    free(csv);
    shell("rm $scratch/few*");
}

/* All samples of data that the model was not trained on are scored, unless --set says otherwise. */
static void test_predict__other_data__all_scored(void **state)
{
    (void)state;
    static const struct {
        const char *options, *set;
        double samples;
        size_t test_samples; /* samples marked as test samples by --csv */
        bool warning;
    } cases[] = {{"--data libsvm:$scratch/l-train.libsvm", "test", 50.0, 50, false},
                 {"--data libsvm:$scratch/less", "all", 299.0, 0, false},
                 {"--data libsvm:$scratch/few", "all", 3.0, 0, false},
                 {"--data libsvm:$scratch/less --set test", "test", 49.0, 49, true},
                 {"--data libsvm:$scratch/less --set all", "all", 299.0, 0, false},
                 {"--data libsvm:$scratch/less --set train", "train", 250.0, 0, true},
                 {"--data libsvm:$scratch/l-train.libsvm --set train", "train", 250.0, 0, false},
                 {"--data libsvm:$scratch/less,$scratch/few", "test", 3.0, 3, false}};
    assert_int_equal(shell("$downhill data gen --format libsvm --samples 300 --test-samples 0 "
                           "--features 9 --classes 3 -o $scratch/l && head -n 299 "
                           "$scratch/l-train.libsvm >$scratch/less && head -n 3 $scratch/less "
                           ">$scratch/few && $downhill train --data "
                           "libsvm:$scratch/l-train.libsvm --normalize standardize --validation "
                           "10% --quiet --model $scratch/l.npz"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill predict --model $scratch/l.npz --json $scratch/l.json "
                             "--csv $scratch/l.csv %s",
                             cases[i].options) > 0);
        assert_int_equal(shell(command), EXIT_OK);
        assert_true((strstr(shell_err, "leave --set out to score all") != NULL) ==
                    cases[i].warning);
        assert_true((strstr(shell_out, "(all, since these are not exactly the samples that the "
                                       "model was trained on)") != NULL) == (i == 1 || i == 2));
        json_t *root = parsed_file("l.json");
        const json_t *p = json_object_get(root, "prediction");
        assert_string_equal(string(p, "set"), cases[i].set);
        assert_true(number(p, "samples") == cases[i].samples);
        json_decref(root);
        free(command);
        assert_int_equal(shell("cut -d , -f 2 $scratch/l.csv | grep -c 1"),
                         cases[i].test_samples == 0);
        assert_int_equal(strtoul(shell_out, NULL, 10), cases[i].test_samples);
    }
    shell("rm $scratch/l-* $scratch/l.* $scratch/less $scratch/few");
}

/* Trained with test files, so that all samples of the training files were trained on: predict says
 * that the accuracy is that of training samples, whether or not some could be held out. */
static void test_predict__only_training_samples__reported(void **state)
{
    (void)state;
    static const char *const sizes[] = {"300", "5"};
    for (size_t i = 0; i < 2; i++) {
        setenv("size", sizes[i], 1);
        assert_int_equal(
            shell("$downhill data gen --format npy --samples $size --test-samples 40 --features 9 "
                  "--classes 2 -o $scratch/t && $downhill train --quiet --model $scratch/t.npz "
                  "--validation 40% --data npy:$scratch/t-train-x.npy,$scratch/t-train-y.npy,"
                  "$scratch/t-test-x.npy,$scratch/t-test-y.npy"),
            EXIT_OK);
        static const char command[] = "$downhill predict --model $scratch/t.npz --json "
                                      "$scratch/t.json --data "
                                      "npy:$scratch/t-train-x.npy,$scratch/t-train-y.npy";
        assert_int_equal(shell(command), EXIT_OK);
        assert_non_null(strstr(shell_out, " (all, and the model was trained on exactly these): "
                                          "accuracy"));
        json_t *root = parsed_file("t.json");
        const json_t *p = json_object_get(root, "prediction");
        assert_string_equal(string(p, "set"), "all");
        assert_string_equal(string(p, "why_set"),
                            "all, and the model was trained on exactly these");
        json_decref(root);
        assert_int_equal(shell("$downhill predict --model $scratch/t.npz --data "
                               "npy:$scratch/t-test-x.npy,$scratch/t-test-y.npy"),
                         EXIT_OK);
        assert_non_null(strstr(shell_out, " (all, since these are not exactly the samples"));
        shell("rm $scratch/t-* $scratch/t.*");
    }
}

/* Data without labels: predicted classes by name and scores, but no accuracy. */
static void test_predict__without_labels__no_accuracy(void **state)
{
    (void)state;
    static const char *const data[] = {"libsvm:$scratch/zeros", "libsvm:$scratch/bare"};
    assert_int_equal(
        shell(
            "awk 'BEGIN { for (i = 0; i < 60; i++) { k = i % 2 * 2 - 1; print k, \"1:\" k + i % 7 "
            "/ 9, \"2:\" i % 5 / 5 } }' >$scratch/two && sed 's/^[^ ]*/0/' $scratch/two "
            ">$scratch/zeros && sed 's/^[^ ]* //' $scratch/two >$scratch/bare && $downhill train "
            "--data libsvm:$scratch/two --lr 0.3 --model $scratch/two.npz --quiet"),
        EXIT_OK);
    for (int i = 0; i < 2; i++) {
        setenv("bare", data[i], 1);
        assert_int_equal(shell("eval $downhill predict --model $scratch/two.npz --data $bare "
                               "--csv $scratch/two.csv --scores --json $scratch/two.json"),
                         EXIT_OK);
        assert_non_null(strstr(shell_out, "libsvm, 60 samples: without labels\n"));
        assert_null(strstr(shell_out, "accuracy"));
        json_t *root = parsed_file("two.json");
        const json_t *p = json_object_get(root, "prediction");
        assert_true(json_is_null(json_object_get(p, "accuracy")));
        assert_true(json_is_null(json_object_get(p, "confusion")));
        assert_true(json_is_false(json_object_get(p, "labelled")));
        assert_true(number(json_array_get(json_object_get(p, "classes"), 0), "predicted") == 30.0);
        json_decref(root);
        char *csv = read_text(scratch_path("two.csv"));
        const char *line = strchr(csv, '\n') + 1;
        assert_memory_equal(
            csv, "sample,test,label,prediction,label_name,prediction_name,score_0,score_1\n", 72);
        assert_memory_equal(line, "0,0,,0,,-1,", 11);
        assert_memory_equal(strchr(line, '\n'), "\n1,0,,1,,1,", 11);
        assert_int_equal(count_of(csv, '\n'), 61);
        free(csv);
    }
    shell("rm $scratch/two* $scratch/zeros $scratch/bare");
}

static void test_predict__doubtful__refused_or_warning(void **state)
{
    (void)state;
    /* The default of --data is not the data that the model was trained on. */
    static const char *const without_data[] = {"predict", "landscape", "step-sweep"};
    for (size_t i = 0; i < 3; i++) {
        char *command;
        assert_true(asprintf(&command, "$downhill %s --model $scratch/m.npz", without_data[i]) > 0);
        assert_int_equal(shell(command), EXIT_USAGE);
        assert_non_null(strstr(shell_err, "--data was not given, and"));
        assert_non_null(strstr(shell_err, "was trained on idx, not on fashion-mnist"));
        free(command);
    }
    assert_int_equal(shell("$downhill train --data $set --lr 0 --model $scratch/z.npz --quiet && "
                           "$downhill predict --data $set --model $scratch/z.npz --quiet"),
                     EXIT_OK);
    assert_non_null(strstr(shell_err, "every sample is predicted as class '0'"));
    shell("rm $scratch/z.npz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predict__trained_model__same_accuracy),
        cmocka_unit_test(test_predict__data_without_test_files__held_out_samples),
        cmocka_unit_test(test_predict__too_few_samples_to_hold_out__all_scored),
        cmocka_unit_test(test_predict__other_data__all_scored),
        cmocka_unit_test(test_predict__only_training_samples__reported),
        cmocka_unit_test(test_predict__without_labels__no_accuracy),
        cmocka_unit_test(test_predict__doubtful__refused_or_warning),
    };
    return cmocka_run_group_tests_name("cli_predict", tests, setup, shell_close);
}
