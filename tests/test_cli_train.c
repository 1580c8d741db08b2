/* SPDX-License-Identifier: MIT
 *
 * The commands that work on data as a user meets them: what they refuse, what they say, what they write. $set is a small
 * set of bytes, $floats one of numbers. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Puts what data gen says --data is into an environment variable. */
static void make_set(const char *variable, const char *command)
{
    assert_int_equal(shell(command), EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    setenv(variable, shell_out, 1);
}

static int open_all(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    make_set("set",
             "$downhill data gen --format idx --samples 600 --test-samples 200 --features 20 "
             "--classes 4 -o $scratch/set");
    make_set("floats",
             "$downhill data gen --format npy --dtype f32 --samples 600 --test-samples 200 "
             "--features 20 --classes 4 -o $scratch/floats");
    make_set("other",
             "$downhill data gen --format idx --samples 600 --test-samples 200 --features 21 "
             "--classes 4 -o $scratch/other");
    assert_int_equal(shell("$downhill train --data $set --model $scratch/m.npz --quiet"), EXIT_OK);
    assert_int_equal(shell("$downhill train --data $set --checkpoint $scratch/c.npz --quiet"),
                     EXIT_OK);
    assert_int_equal(shell("head -c 500 $scratch/m.npz >$scratch/cut.npz"), EXIT_OK);
    return 0;
}

/* What comes behind warnings, as of a busy machine. */
static const char *behind_warnings(const char *line)
{
    while (strncmp(line, "downhill: warning: ", 19) == 0)
        line = strchr(line, '\n') + 1;
    return line;
}

static void test_bad_commands__one_line_and_the_code(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *says;
    } bad[] = {
        {2, "$downhill train --data $set --method newton", "'newton' is not one of sgd|random"},
        {2, "$downhill train --data $set --method lbfgs --loss hinge", "no second derivative"},
        {2, "$downhill train --data $set --method lbfgs --batch 3", "--batch: has no meaning"},
        {2, "$downhill train --data $set --method lbfgs --seed 3", "--seed: has no meaning"},
        {2, "$downhill train --data $set --method numerical --dtype u8",
         "small differences vanish"},
        {2, "$downhill train --data $set --method numerical --epochs 3",
         "--epochs: has no meaning"},
        {2, "$downhill train --data $set --method numerical --h 0", "'0' is not"},
        {2, "$downhill train --data $set --method random-search --lr 3", "--lr: has no meaning"},
        {2, "$downhill train --data $set --method random-search --step 3",
         "--step: has no meaning"},
        {2, "$downhill train --data $set --method local-search --momentum .9",
         "--momentum: has no"},
        {2, "$downhill train --data $set --method local-search --checkpoint $scratch/x",
         "--checkpoint: has no meaning"},
        {2, "$downhill train --data $set --tries 5", "--tries: has no meaning for --method sgd"},
        {2, "$downhill train --data $set --nesterov", "give --momentum 0.9"},
        {2, "$downhill train --data $set --momentum 1", "nothing is ever forgotten"},
        {2, "$downhill train --data $set --momentum 1.1", "'1.1' is not a number from 0 to 1"},
        {2, "$downhill train --data $set --lr 1e-46", "'1e-46' is 0 in f32"},
        {2, "$downhill train --data $set --delta 0", "'0' is not a number from 1e-06"},
        {2, "$downhill train --data $set --method local-search --scale 0", "'0' is not"},
        {1,
         "$downhill train --data $floats --method numerical --coordinates all --iterations 9 "
         "--lr 1e6 --quiet",
         "--h 0.001 is rounded away beside a weight of"},
        {2, "$downhill train --data $set --patience 3", "give --validation"},
        {2, "$downhill train --data $set --validation 0.0001", "leaves none for training or none"},
        {2, "$downhill train --data $set --validation 100%", "leaves none for training or none"},
        {2, "$downhill train --data $set --validation 110%", "'110%' is not"},
        {2, "$downhill train --data $set --schedule linear", "constant|step|inverse|cosine"},
        {2, "$downhill train --data $set --batch some", "'some' is not a whole number"},
        {2, "$downhill train --data $set --every 3", "give --checkpoint FILE"},
        {2, "$downhill train --data $set --isa all --model $scratch/x", "take one level"},
        {2, "$downhill train --data $set --isa all --checkpoint $scratch/x", "take one level"},
        {2, "$downhill train --data $set --model $scratch/nowhere/x", "nowhere/x: cannot write"},
        {2, "$downhill train --data $set --model $scratch", "is a directory"},
        {2, "$downhill train --data $set --model -", "can be replaced"},
        {2, "$downhill train --data $set --model /dev/stdout", "can be replaced"},
        {2, "$downhill train --data $set --checkpoint $scratch/nowhere/x", "nowhere/x: cannot"},
        {2, "$downhill train --data $floats --dtype u8", "take --dtype f32"},
        {2, "$downhill train --data $set --mmap --dtype f32", "only with features as they are"},
        {2, "$downhill train --data $floats --mmap --normalize center",
         "only with features as they"},
        {2, "$downhill train --resume $scratch/c.npz --lr 1", "--lr: training goes on as it began"},
        {3, "$downhill train --resume $scratch/c.npz --data $other", "on other data than"},
        {2, "$downhill train --resume $scratch/c.npz --lr 0.02",
         "--lr: training goes on as it began"},
        {2, "$downhill train --resume $scratch/c.npz --momentum 0", "--momentum: training goes on"},
        {2, "$downhill train --data $set --method lbfgs --epochs 10", "--epochs: has no meaning"},
        {2, "$downhill train --data $set --lr-factor 0.1", "--lr-factor: has no meaning but with"},
        {2, "$downhill train --data $set --lr-every 10", "--lr-every: has no meaning but with"},
        {2, "$downhill train --data $floats --loss softmax --delta 1", "for the softmax loss"},
        {2, "$downhill train --data $set --model $scratch/x --checkpoint $scratch/x", "name two"},
        {2, "$downhill train --data $set --model $scratch/x --json $scratch/x", "name two"},
        {2, "$downhill train --resume $scratch/c.npz --model $scratch/c.npz", "name two"},
        {2,
         "cp $scratch/c.npz $scratch/d.npz; $downhill train --resume $scratch/d.npz --checkpoint "
         "$scratch/e "
         "--model $scratch/d.npz; code=$?; rm $scratch/d.npz; exit $code",
         "name two"},
        {1,
         "$downhill train --data $set --epochs 8 --batch all --reg 1e6 --lr 1e6 --model $scratch/x",
         "diverged: the loss is"},
        {2, "$downhill train --resume $scratch/c.npz --epochs 1", "has 10 already"},
        {3, "$downhill train --resume $scratch/m.npz", "a model, not a checkpoint"},
        {3, "$downhill train --resume $scratch/cut.npz", "not a complete NPZ file"},
        {3, "$downhill train --resume $scratch/none.npz", "cannot open"},
        {1, "$downhill train --data $set --lr 1e6 --reg 1e6", "diverged: the loss is"},
        {2, "$downhill predict --data $set", "give --model FILE"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --scores", "give --csv FILE"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --csv $scratch/nowhere/x",
         "nowhere/x: cannot write"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --loss hinge",
         "is not an option"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --csv $scratch/m.npz",
         "--model and --csv name one file"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --csv -", "name a file"},
        {2, "$downhill landscape --data $set --model $scratch/m.npz --loss softmax",
         "is a model for bytes"},
        {2, "$downhill train --data $set --model $scratch/set-train-images.idx",
         "one of them names a file of --data"},
        {2, "$downhill train --data $set --json $scratch/set-train-images.idx",
         "--json: names a file of --data"},
        {2,
         "$downhill predict --data $set --model $scratch/m.npz --csv $scratch/set-train-images.idx",
         "--csv: names a file of --data"},
        {2, "$downhill landscape --data $set --csv $scratch/set-train-labels.idx",
         "--csv: names a file of --data"},
        {2, "$downhill step-sweep --data $set --json $scratch/set-test-images.idx",
         "--json: names a file of --data"},
        {2, "$downhill gradcheck --data $set --json $scratch/set-test-labels.idx",
         "--json: names a file of --data"},
        {2, "$downhill data check --data $set --json $scratch/set-train-images.idx",
         "--json: names a file of --data"},
        {2,
         "mkdir $scratch/bin; touch $scratch/bin/train.bin; $downhill data check --data "
         "cifar100:$scratch/bin --json $scratch/bin/train.bin; code=$?; rm -r $scratch/bin; exit "
         "$code",
         "--json: names a file of --data"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --json $scratch/m.npz",
         "--model and --json name one file"},
        {2, "$downhill landscape --three-points --csv $scratch/x --json $scratch/x",
         "--csv and --json name one file"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --seed 9",
         "--seed: has no meaning with --model"},
        {2, "$downhill landscape --data $floats --loss softmax --delta 7",
         "--delta: has no meaning for the softmax loss"},
        {2, "$downhill gradcheck --data $floats --loss softmax --delta 7",
         "--delta: has no meaning for the softmax loss"},
        {3, "$downhill predict --data $other --model $scratch/m.npz", "name those that belong"},
        {3, "$downhill predict --data $floats --model $scratch/m.npz", "name those that belong"},
        {3, "$downhill predict --data $set --model $scratch/cut.npz", "not a complete NPZ file"},
        {3, "$downhill predict --data $set --model $scratch", "m"},
        {4, "$downhill predict --data $set --model $scratch/m.npz --isa sse9", "no such ISA level"},
        {2, "$downhill gradcheck --data $floats --dtype u8", "leave --loss or --dtype out"},
        {2, "$downhill gradcheck --data $set --dtype u8 --loss softmax", "only with --loss hinge"},
        {2, "$downhill gradcheck --data $set --h 2", "'2' is not"},
        {4, "$downhill gradcheck --data $set --isa sse9", "no such ISA level"},
        {1, "$downhill gradcheck --data $set --loss hinge --dtype u8 --isa scalar --reg 0 --h 1",
         "coordinates have a kink within h"},
        {2, "$downhill landscape --data $set --directions 3", "'3' is not"},
        {2, "$downhill landscape --data $set --model $scratch/m.npz --normalize raw",
         "leave --dtype and --normalize out"},
        {3, "$downhill landscape --data $other --model $scratch/m.npz", "name those that belong"},
        {2, "$downhill landscape --data $set --model $scratch/m.npz --scale 0.01",
         "--scale: has no meaning with --model"},
        {2, "$downhill landscape --data $set --three-points",
         "--data: has no meaning with --three-points"},
        {2, "$downhill landscape --three-points --directions 1",
         "--directions: has no meaning with --three-points"},
        {2, "$downhill landscape --three-points --loss softmax", "the one with bends"},
        {2, "OMPI_COMM_WORLD_SIZE=2 $downhill landscape --data $set", "start it without mpirun"},
        {2, "PMIX_RANK=0 $downhill gradcheck --data $set", "start it without mpirun"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --scale 0.01",
         "--scale: has no meaning with --model"},
        {2, "$downhill step-sweep --data $set --from 1 --to 0.1", "swap them"},
        {2, "$downhill step-sweep --data $set --from 0", "'0' is not"},
        {3, "$downhill step-sweep --data $set --model $scratch/none.npz", "cannot open"},
    };
    const size_t files = scratch_count();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int code = shell(bad[i].command);
        const char *line = behind_warnings(shell_err);
        if (code != bad[i].code || strstr(line, bad[i].says) == NULL || count_of(line, '\n') != 1 ||
            strncmp(line, "downhill: ", 10) != 0)
            fail_msg("%s: exit code %d, not %d\nout: %s\nerr: %s", bad[i].command, code,
                     bad[i].code, shell_out, shell_err);
    }
    assert_int_equal(scratch_count(), files); /* nothing half-written is left */
}

static const char *const commands[] = {
    "$downhill train --data $set --epochs 2 --validation 10% --momentum 0.5",
    "$downhill train --data $set --method random-search --tries 40",
    "$downhill train --data $set --method local-search --tries 20",
    "$downhill train --data $floats --method numerical --iterations 3",
    "$downhill train --data $floats --method lbfgs --iterations 5",
    "$downhill predict --data $set --model $scratch/m.npz",
    "OMPI_COMM_WORLD_SIZE=1 $downhill gradcheck --data $set --isa scalar --threads 2",
    "$downhill landscape --data $set --points 11",
    "$downhill landscape --data $floats --directions 2 --points 5 --loss softmax",
    "$downhill landscape --three-points",
    "$downhill step-sweep --data $set",
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void run_with(size_t i, const char *more)
{
    char *command;
    assert_true(asprintf(&command, "%s %s", commands[i], more) > 0);
    const int code = shell(command);
    if (code != EXIT_OK)
        fail_msg("%s: exit code %d\nerr: %s", command, code, shell_err);
    free(command);
}

static void test_quiet__says_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        run_with(i, "");
        assert_true(shell_out[0] != '\0');
        run_with(i, "--quiet");
        if (shell_out[0] != '\0' || behind_warnings(shell_err)[0] != '\0')
            fail_msg("%s --quiet: out: %s\nerr: %s", commands[i], shell_out, shell_err);
    }
}

static void test_json__alone_on_standard_output__and_the_same_in_a_file(void **state)
{
    (void)state;
    static const char *const keys[N_COMMANDS] = {
        "training",  "training",  "training",  "training",  "training",  "prediction",
        "gradcheck", "landscape", "landscape", "landscape", "step_sweep"};
    for (size_t i = 0; i < N_COMMANDS; i++) {
        run_with(i, "--json -");
        json_t *root = parsed(shell_out);
        assert_true(number(root, "schema_version") >= 1.0);
        assert_non_null(json_object_get(root, keys[i]));
        json_decref(root);
        run_with(i, "--json $scratch/x.json");
        assert_true(strchr(shell_out, '{') == NULL);
        root = parsed_file("x.json");
        assert_non_null(json_object_get(root, keys[i]));
        json_decref(root);
        shell("rm $scratch/x.json");
    }
}

static void test_random_search__each_new_best(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill train --data $set --method random-search --tries 64 --json -"), EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0),
                 *points = json_object_get(run, "points");
    assert_true(number(run, "tried") == 64.0 && number(run, "evaluations") == 64.0);
    assert_true(json_array_size(points) >= 2);
    for (size_t i = 1; i < json_array_size(points); i++) {
        assert_true(number(json_array_get(points, i), "loss") <
                    number(json_array_get(points, i - 1), "loss"));
        assert_true(number(json_array_get(points, i), "number") >
                    number(json_array_get(points, i - 1), "number"));
    }
    json_decref(root);
}

static void test_numerical__what_a_step_costs(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill train --data $floats --method numerical --iterations 3 --coordinates all "
              "--difference centred --json -"),
        EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    assert_true(number(run, "coordinates") == 4.0 * 21.0);
    assert_true(number(run, "evaluations_per_step") == 2.0 * 4.0 * 21.0);
    assert_true(number(run, "evaluations") == 3.0 * 2.0 * 4.0 * 21.0);
    assert_true(number(run, "numerical_to_analytic") > 1.0);
    assert_true(number(run, "gradient_difference") < 0.05);
    json_decref(root);
}

/* From random weights a small step lowers the loss as the gradient says, and one too large raises it. */
static void test_step_sweep__small_steps_go_down(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill step-sweep --data $set --scale 0.1 --from 1e-6 --to 1e3 "
                           "--points 10 --json -"),
                     EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *points = json_object_get(json_object_get(root, "step_sweep"), "points");
    assert_int_equal(json_array_size(points), 11);
    double loss[11], step[11];
    for (size_t i = 0; i < 11; i++) {
        step[i] = json_number_value(json_array_get(json_array_get(points, i), 0));
        loss[i] = json_number_value(json_array_get(json_array_get(points, i), 1));
    }
    assert_true(step[0] == 0.0);
    assert_true(fabs(step[1] - 1e-6) < 1e-12 && fabs(step[10] - 1e3) < 1e-6);
    for (size_t i = 2; i <= 4; i++)
        assert_true(loss[i] < loss[i - 1]);
    assert_true(loss[10] > loss[0]);
    json_decref(root);
}

static void test_predict__what_was_trained(void **state)
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
    double all = 0.0, right = 0.0;
    for (size_t j = 0; j < 4; j++)
        for (size_t l = 0; l < 4; l++) {
            const double count = json_number_value(
                json_array_get(json_array_get(json_object_get(p, "confusion"), j), l));
            all += count;
            right += j == l ? count : 0.0;
        }
    assert_true(all == 200.0);
    assert_true(right == 200.0 * number(p, "accuracy"));
    char *csv = read_text(scratch_path("p.csv"));
    assert_int_equal(count_of(csv, '\n'), 201);
    assert_int_equal(count_of(csv, ','), 201 * 9);
    free(csv);
    json_decref(predicted);
    json_decref(trained);
    shell("rm $scratch/again.npz $scratch/t.json $scratch/p.csv");
}

/* The samples that training held out are those of predict, and --set all has each sample of the file once, under its
 * number there. */
static void test_predict__of_a_set_without_test_files(void **state)
{
    (void)state;
    enum { ALL = 300, TEST = ALL / 6 };
    make_set("plain", "$downhill data gen --format npy --samples 300 --test-samples 0 --features 9 "
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
    char *of_test = read_text(scratch_path("test.csv")),
         *of_all = read_text(scratch_path("all.csv"));
    size_t lines = 0, right = 0, of_test_lines = 0;
    for (const char *line = strchr(of_all, '\n') + 1; *line != '\0';
         line = strchr(line, '\n') + 1) {
        size_t sample;
        int of_test_set, label, prediction;
        assert_int_equal(sscanf(line, "%zu,%d,%d,%d", &sample, &of_test_set, &label, &prediction),
                         4);
        assert_int_equal(sample, lines); /* in the order of the file */
        /* The samples of the test set are those that are scored alone, and come out the same. */
        const char *end = strchr(line, '\n') + 1;
        char *alone = strndup(line, (size_t)(end - line));
        assert_true((strstr(of_test, alone) != NULL) == of_test_set);
        free(alone);
        of_test_lines += (size_t)of_test_set;
        right += label == prediction;
        lines++;
    }
    assert_int_equal(lines, ALL);
    assert_int_equal(of_test_lines, TEST);
    assert_true(fabs((double)right / ALL - number(json_object_get(all, "prediction"), "accuracy")) <
                1e-9);
    free(of_test);
    free(of_all);
    json_decref(trained);
    json_decref(test);
    json_decref(all);
    shell("rm $scratch/p.* $scratch/t.json $scratch/test.csv $scratch/all.*");
}

/* A few new samples, of which none can be held out and none need be. */
static void test_predict__fewer_samples_than_can_be_split(void **state)
{
    (void)state;
    make_set("few", "$downhill data gen --format npy --samples 3 --test-samples 0 --features 8 "
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

/* 0.3 is 0.300000012 in f32, which nobody gave. */
static void test_train__values__as_they_were_given(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill train --data $set --epochs 1 --lr 0.003 --reg 3e-4 --delta 1.1 "
              "--momentum 0.9 --json $scratch/v.json"),
        EXIT_OK);
    assert_non_null(strstr(shell_out, "learning rate 0.003, momentum 0.9, penalty 0.0003, "));
    char *text = read_text(scratch_path("v.json"));
    static const char *const want[] = {"\"lr\": 0.003,", "\"reg\": 0.0003,", "\"delta\": 1.1,",
                                       "\"momentum\": 0.9,"};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        if (strstr(text, want[i]) == NULL)
            fail_msg("%s is missing:\n%s", want[i], text);
    free(text);
    shell("rm $scratch/v.json");
}

static void test_train__says_what_it_wrote(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $set --epochs 1 --model $scratch/told.npz "
                           "--checkpoint $scratch/told-c.npz"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "/told.npz\n"));
    assert_non_null(strstr(shell_out, "/told-c.npz\n"));
    shell("rm $scratch/told*");
}

/* Features near 5e5, which no usual learning rate goes with. */
static void make_unscaled(void)
{
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 240; i++) { k = i % 3; print k, \"1:\" 500000 + k * "
              "1000 + i * 37 % 100, \"2:\" 400000 - k * 1000 + i * 53 % 100 } }' "
              ">$scratch/unscaled"),
        EXIT_OK);
}

/* Exit code 1, the reason in a line and in the results, and no model. */
static void test_train__failed__said_and_no_model(void **state)
{
    (void)state;
    static const struct {
        const char *options, *says, *remedy;
    } ways[] = {
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
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill train %s --model $scratch/f.npz --json "
                             "$scratch/f.json",
                             ways[i].options) > 0);
        const int code = shell(command);
        const char *line = behind_warnings(shell_err);
        if (code != EXIT_CHECK || strstr(line, ways[i].says) == NULL ||
            strstr(line, ways[i].remedy) == NULL || count_of(line, '\n') != 1)
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        json_t *root = parsed_file("f.json");
        const char *why = string(json_array_get(json_object_get(root, "training"), 0), "failed");
        assert_non_null(strstr(line, why));
        json_decref(root);
        static const char *const never[] = {"nan", "inf ", "inf\n", "inf;", "inf,"};
        for (size_t w = 0; w < sizeof never / sizeof never[0]; w++)
            assert_true(strstr(shell_out, never[w]) == NULL && strstr(line, never[w]) == NULL);
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

/* Words, and no nan or inf, where f32 overflows. */
static void test_overflow__said_in_words(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *says;
    } ways[] = {
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
        {1, "gradcheck --isa scalar --loss hinge", "is beyond f32; try --normalize standardize"},
    };
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 60; i++) print i % 3, \"1:\" 3e37 * (1 + i "
              "% 3), \"2:\" 1e36 * i }' >$scratch/big"),
        EXIT_OK);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill %s --data libsvm:$scratch/big >$scratch/o 2>$scratch/e; "
                             "code=$?; cat $scratch/e >&2; grep -wiE '(-?nan|-?inf)' $scratch/o "
                             "$scratch/e && exit 99; exit $code",
                             ways[i].command) > 0);
        const int code = shell(command);
        if (code != ways[i].code || strstr(shell_err, ways[i].says) == NULL)
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        free(command);
    }
    shell("rm $scratch/big $scratch/o $scratch/e");
}

/* A level that failed costs the others nothing, and yet the command failed. */
static void test_train__all_levels_failed__each_in_the_results(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $set --lr 1e6 --reg 1e6 --isa all --json -"),
                     EXIT_CHECK);
    json_t *root = parsed(shell_out), *runs = json_object_get(root, "training");
    assert_true(json_array_size(runs) >= 2); /* scalar, and the compiler's own of the same */
    for (size_t i = 0; i < json_array_size(runs); i++)
        assert_non_null(strstr(string(json_array_get(runs, i), "failed"), "no longer finite"));
    json_decref(root);
}

static void test_train__in_doubt__warned(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *options, *says;
    } ways[] = {
        {0, "--data libsvm:$scratch/unscaled --lr 1e-12",
         "the features are too large for a learning rate of 1e-12"},
        {1, "--data libsvm:$scratch/unscaled",
         "the features are too large for a learning rate of "
         "0.02: the norm of a sample is about 6.4e+05; try "
         "--normalize standardize"},
        {0, "--data $set --method random-search --tries 1 --scale 10", "above the 3 of weights"},
        {0, "--data $set --lr 0 --epochs 1", "predicts every training sample as class '0'"},
        {0, "--data $set --epochs 10", "class '"},
        {0, "--data $set --epochs 10", "the learning rate"},
        {1, "--data $set --epochs 1000000 --lr 1e6 --reg 1e6", "nothing of it is kept"},
        {1, "--data $set --epochs 1000000 --lr 1e6 --reg 1e6 --json $scratch/f.json",
         "nothing of it is kept"},
        {1, "--data $set --epochs 3 --lr 1e6 --reg 1e6", "nothing of it is kept"},
    };
    static const bool comes[] = {false, true, true, true, false, false, true, false, false};
    make_unscaled();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(asprintf(&command, "$downhill train %s", ways[i].options) > 0);
        const int code = shell(command);
        if (code != ways[i].code || (strstr(shell_err, ways[i].says) != NULL) != comes[i])
            fail_msg("%s: exit code %d\nout: %s\nerr: %s", command, code, shell_out, shell_err);
        free(command);
    }
    shell("rm $scratch/unscaled $scratch/f.json");
}

/* Features that are all large together, as the pixels of photographs are. The scalar level, so that the bits of f32 are
 * the same on every machine. */
static void test_train__weights_that_jump__lower_rate_advised(void **state)
{
    (void)state;
    assert_int_equal(
        shell("awk 'BEGIN { for (i = 0; i < 900; i++) { k = i % 3; printf \"%d\", k; for (f = 1; f "
              "<= 40; f++) printf \" %d:%.3f\", f, 1 + (i * 31 % 89) / 89 + (f % 3 == k) * 0.4 + "
              "(i * (7 * f + 3) % 97) / 97 * 2; print \"\" } }' >$scratch/jump && $downhill train "
              "--data libsvm:$scratch/jump,$scratch/jump --batch 30 --lr 0.05 --epochs 5 --isa "
              "scalar"),
        EXIT_OK);
    assert_non_null(strstr(shell_err, "the weights jump back and forth"));
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

/* Of data that the model was not trained on all samples count; only --set test still draws some of them. */
static void test_predict__of_another_set__all_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *options, *set;
        double samples;
        bool doubt;
    } ways[] = {{"--data libsvm:$scratch/l-train.libsvm", "test", 50.0, false},
                {"--data libsvm:$scratch/less", "all", 299.0, false},
                {"--data libsvm:$scratch/few", "all", 3.0, false},
                {"--data libsvm:$scratch/less --set test", "test", 49.0, true},
                {"--data libsvm:$scratch/less --set all", "all", 299.0, false},
                {"--data libsvm:$scratch/less,$scratch/few", "test", 3.0, false}};
    assert_int_equal(shell("$downhill data gen --format libsvm --samples 300 --test-samples 0 "
                           "--features 9 --classes 3 -o $scratch/l && head -n 299 "
                           "$scratch/l-train.libsvm >$scratch/less && head -n 3 $scratch/less "
                           ">$scratch/few && $downhill train --data "
                           "libsvm:$scratch/l-train.libsvm --normalize standardize --validation "
                           "10% --quiet --model $scratch/l.npz"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill predict --model $scratch/l.npz --json $scratch/l.json %s",
                             ways[i].options) > 0);
        assert_int_equal(shell(command), EXIT_OK);
        assert_true((strstr(shell_err, "may have been trained on") != NULL) == ways[i].doubt);
        assert_true((strstr(shell_out, "all, since the model was trained on other data") != NULL) ==
                    (i == 1 || i == 2));
        json_t *root = parsed_file("l.json");
        const json_t *p = json_object_get(root, "prediction");
        assert_string_equal(string(p, "set"), ways[i].set);
        assert_true(number(p, "samples") == ways[i].samples);
        json_decref(root);
        free(command);
    }
    shell("rm $scratch/l-* $scratch/l.* $scratch/less $scratch/few");
}

/* Scores and classes by name, and no accuracy. */
static void test_predict__without_labels(void **state)
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

static void test_predict__in_doubt__said(void **state)
{
    (void)state;
    /* The default of --data is not what this model is of. */
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

/* What a model was trained to make small is what is looked at around it. */
static void test_landscape__of_the_loss_of_the_model(void **state)
{
    (void)state;
    static const struct {
        const char *more, *loss;
        double reg, delta;
    } ways[] = {{"", "softmax", 0.25, 1.0},
                {"--loss hinge --delta 2", "hinge", 0.25, 2.0},
                {"--reg 0.5", "softmax", 0.5, 1.0}};
    assert_int_equal(shell("$downhill train --data $floats --loss softmax --reg 0.25 --quiet "
                           "--model $scratch/s.npz"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill landscape --data $floats --model $scratch/s.npz "
                             "--points 3 --json - %s",
                             ways[i].more) > 0);
        assert_int_equal(shell(command), EXIT_OK);
        json_t *root = parsed(shell_out);
        const json_t *o = json_object_get(root, "landscape");
        assert_string_equal(string(o, "loss"), ways[i].loss);
        assert_true(number(o, "reg") == ways[i].reg && number(o, "delta") == ways[i].delta);
        json_decref(root);
        free(command);
    }
    shell("rm $scratch/s.npz");
}

static void test_model__one_for_every_level_and_thread(void **state)
{
    (void)state;
    char *first = NULL;
    static const char *const ways[] = {"--isa scalar", "--isa scalar --threads 3", ""};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *command;
        assert_true(
            asprintf(&command,
                     "$downhill train --data $set --momentum 0.9 --schedule cosine --json - %s",
                     ways[i]) > 0);
        assert_int_equal(shell(command), EXIT_OK);
        json_t *root = parsed(shell_out);
        const char *digest =
            string(json_array_get(json_object_get(root, "training"), 0), "model_digest");
        if (first == NULL)
            first = strdup(digest);
        assert_string_equal(digest, first);
        json_decref(root);
        free(command);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_commands__one_line_and_the_code),
        cmocka_unit_test(test_quiet__says_nothing),
        cmocka_unit_test(test_json__alone_on_standard_output__and_the_same_in_a_file),
        cmocka_unit_test(test_random_search__each_new_best),
        cmocka_unit_test(test_numerical__what_a_step_costs),
        cmocka_unit_test(test_step_sweep__small_steps_go_down),
        cmocka_unit_test(test_predict__what_was_trained),
        cmocka_unit_test(test_predict__of_a_set_without_test_files),
        cmocka_unit_test(test_predict__of_another_set__all_of_it),
        cmocka_unit_test(test_predict__without_labels),
        cmocka_unit_test(test_predict__in_doubt__said),
        cmocka_unit_test(test_predict__fewer_samples_than_can_be_split),
        cmocka_unit_test(test_train__failed__said_and_no_model),
        cmocka_unit_test(test_overflow__said_in_words),
        cmocka_unit_test(test_train__all_levels_failed__each_in_the_results),
        cmocka_unit_test(test_train__in_doubt__warned),
        cmocka_unit_test(test_train__weights_that_jump__lower_rate_advised),
        cmocka_unit_test(test_train__one_class__refused),
        cmocka_unit_test(test_train__values__as_they_were_given),
        cmocka_unit_test(test_train__says_what_it_wrote),
        cmocka_unit_test(test_landscape__of_the_loss_of_the_model),
        cmocka_unit_test(test_model__one_for_every_level_and_thread),
    };
    return cmocka_run_group_tests_name("cli_train", tests, open_all, shell_close);
}
