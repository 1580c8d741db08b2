/* SPDX-License-Identifier: MIT
 *
 * The commands that read data, from the command line: refused options, messages and files. $set is
 * a small data set of bytes, $floats one of f32. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    shell_into("set",
               "$downhill data gen --format idx --samples 600 --test-samples 200 --features 20 "
               "--classes 4 -o $scratch/set");
    shell_into("floats",
               "$downhill data gen --format npy --dtype f32 --samples 600 --test-samples 200 "
               "--features 20 --classes 4 -o $scratch/floats");
    shell_into("other",
               "$downhill data gen --format idx --samples 600 --test-samples 200 --features 21 "
               "--classes 4 -o $scratch/other");
    assert_int_equal(shell("$downhill train --data $set --model $scratch/m.npz --quiet"), EXIT_OK);
    assert_int_equal(shell("$downhill train --data $set --checkpoint $scratch/c.npz --quiet"),
                     EXIT_OK);
    assert_int_equal(shell("head -c 500 $scratch/m.npz >$scratch/cut.npz"), EXIT_OK);
    return 0;
}

static void test_invalid_commands__one_line_and_exit_code(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *command, *message;
    } bad[] = {
        {2, "$downhill train --data $set --method newton", "'newton' is not one of sgd|random"},
        {2, "$downhill train --data $set --method lbfgs --loss hinge", "no second derivative"},
        {2, "$downhill train --data $set --method lbfgs --batch 3", "--batch: has no meaning"},
        {2, "$downhill train --data $set --method lbfgs --seed 3", "--seed: has no meaning"},
        {2, "$downhill train --data $set --method numerical --dtype u8",
         "small differences vanish"},
        {2, "$downhill train --data $set --method numerical --epochs 3",
         "--epochs: has no meaning"},
        {2, "$downhill train --data $set --method numerical --h 0", "0 is out of range"},
        {2, "$downhill train --data $set --method random-search --lr 3", "--lr: has no meaning"},
        {2, "$downhill train --data $set --method random-search --step 3",
         "--step: has no meaning"},
        {2, "$downhill train --data $set --method local-search --momentum .9",
         "--momentum: has no"},
        {2, "$downhill train --data $set --method local-search --checkpoint $scratch/x",
         "--checkpoint: has no meaning"},
        {2, "$downhill train --data $set --tries 5", "--tries: has no meaning for --method sgd"},
        {2, "$downhill train --data $set --nesterov", "give --momentum 0.9"},
        {2, "$downhill train --data $set --momentum 1",
         "1 is out of range; give a number of at least 0 and below 1"},
        {2, "$downhill train --data $set --momentum 0.99999999", "and below 1"},
        {2, "$downhill train --data $set --momentum 1.1",
         "1.1 is out of range; give a number of at least 0 and below 1"},
        {2, "$downhill train --data $set --lr 1e-46", "'1e-46' rounds to 0 in f32"},
        {2, "$downhill train --data $set --delta 0", "0 is out of range; give a number from 1e-06"},
        {2, "$downhill train --data $set --method local-search --scale 0", "0 is out of range"},
        {1,
         "$downhill train --data $floats --method numerical --coordinates all --iterations 9 "
         "--lr 1e6 --quiet",
         "--h 0.001 is rounded away beside a weight of"},
        {2, "$downhill train --data $set --patience 3", "give --validation"},
        {2, "$downhill train --data $set --validation 0.0001", "leaves none for training or none"},
        {2, "$downhill train --data $set --validation 100%",
         "100% is out of range; give a number of at least 0 and below 1"},
        {2, "$downhill train --data $set --validation 110%", "110% is out of range"},
        {2, "$downhill train --data $set --schedule linear", "constant|step|inverse|cosine"},
        {2, "$downhill train --data $set --batch some",
         "'some' is not a whole number from 1 to 1000000000, or all, written in digits only"},
        {2, "$downhill train --data $set --every 3", "give --checkpoint FILE"},
        {2, "$downhill train --data $set --isa all --model $scratch/x", "give one level"},
        {2, "$downhill train --data $set --isa all --checkpoint $scratch/x", "give one level"},
        {2, "$downhill train --data $set --model $scratch/nowhere/x", "nowhere/x: cannot write"},
        {2, "$downhill train --data $set --model $scratch", "is a directory"},
        {2, "$downhill train --data $set --model -", "--model -: standard output is for --json"},
        {2, "$downhill train --data $set --model /dev/stdout",
         "--model: /dev/stdout is not a file that can be replaced"},
        {2, "$downhill train --data $set --checkpoint /dev/null",
         "--checkpoint: /dev/null is not a file that can be replaced"},
        {2, "$downhill train --data $set --checkpoint $scratch/nowhere/x", "nowhere/x: cannot"},
        {2, "$downhill train --data $floats --dtype u8", "use --dtype f32"},
        {2, "$downhill train --data $set --mmap --dtype f32", "cannot be used from the file"},
        {2, "$downhill train --data $floats --mmap --normalize center",
         "cannot be used from the file"},
        {2, "$downhill train --resume $scratch/c.npz --lr 1",
         "--lr: cannot differ from the first run"},
        {3, "$downhill train --resume $scratch/c.npz --data $other",
         "is not the data of the checkpoint: 21 features instead of 20;"},
        {3, "$downhill train --resume $scratch/c.npz --data $floats",
         "is not the data of the checkpoint: features of f32 instead of bytes;"},
        {2, "$downhill train --resume $scratch/c.npz --lr 0.02",
         "--lr: cannot differ from the first run"},
        {2, "$downhill train --resume $scratch/c.npz --momentum 0", "--momentum: cannot differ"},
        {2, "$downhill train --data $set --method lbfgs --epochs 10", "--epochs: has no meaning"},
        {2, "$downhill train --data $set --lr-factor 0.1", "--lr-factor: has no meaning without"},
        {2, "$downhill train --data $set --lr-every 10", "--lr-every: has no meaning without"},
        {2, "$downhill train --data $floats --loss softmax --delta 1", "for the softmax loss"},
        {2, "$downhill train --data $set --model $scratch/x --checkpoint $scratch/x", "name two"},
        {2, "$downhill train --data $set --model $scratch/x --json $scratch/x", "name two"},
        {2, "$downhill train --resume $scratch/c.npz --model $scratch/c.npz", "name two"},
        {2, "cd $scratch; $downhill train --data $set --model z --checkpoint ./z",
         "train: --model z and --checkpoint ./z name the same file; name two"},
        {2, "cd $scratch; $downhill train --data $set --checkpoint $scratch/z --json z",
         "/z and --json z name the same file; name two"},
        {2,
         "cd $scratch; ln -s z2 zl; $downhill train --data $set --model z2 --checkpoint zl; "
         "code=$?; rm zl; exit $code",
         "--model z2 and --checkpoint zl name the same file"},
        {2, "cd $scratch; $downhill predict --data $set --model m.npz --csv q --json ./q",
         "--csv q and --json ./q name the same file"},
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
         "/m.npz name the same file; name two"},
        {2, "$downhill predict --data $set --model $scratch/m.npz --csv -", "name a file"},
        {2, "$downhill train --data $set --model $scratch/set-train-images.idx",
         "set-train-images.idx is a file of --data"},
        {2, "$downhill train --data $set --json $scratch/set-train-images.idx",
         "is a file of --data"},
        {2,
         "$downhill predict --data $set --model $scratch/m.npz --csv $scratch/set-train-images.idx",
         "is a file of --data"},
        {2, "$downhill landscape --data $set --csv $scratch/set-train-labels.idx",
         "is a file of --data"},
        {2, "$downhill step-sweep --data $set --json $scratch/set-test-images.idx",
         "is a file of --data"},
        {2, "$downhill gradcheck --data $set --json $scratch/set-test-labels.idx",
         "is a file of --data"},
        {2, "$downhill data check --data $set --json $scratch/set-train-images.idx",
         "is a file of --data"},
        {2,
         "mkdir $scratch/bin; touch $scratch/bin/train.bin; $downhill data check --data "
         "cifar100:$scratch/bin --json $scratch/bin/train.bin; code=$?; rm -r $scratch/bin; exit "
         "$code",
         "is a file of --data"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --json $scratch/m.npz",
         "/m.npz name the same file; name two"},
        {2, "$downhill landscape --three-points --csv $scratch/x --json $scratch/x",
         "/x name the same file; name two"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --seed 9",
         "--seed: has no meaning with --model"},
        {2, "$downhill landscape --data $floats --loss softmax --delta 7",
         "--delta: has no meaning for the softmax loss"},
        {2, "$downhill gradcheck --data $floats --loss softmax --delta 7",
         "--delta: has no meaning for the softmax loss"},
        {3, "$downhill predict --data $other --model $scratch/m.npz",
         "trained on 20 features, but idx:"},
        {3, "$downhill predict --data $floats --model $scratch/m.npz",
         "trained on bytes, but the features of npy:"},
        {3, "$downhill predict --data $floats --model $scratch/m.npz", "X.astype(np.uint8)"},
        {3, "$downhill predict --data $set --model $scratch/floats-train-x.npy",
         "floats-train-x.npy: not a model of downhill; give a file written by downhill train "
         "--model"},
        {3, "$downhill train --data npz:$scratch/floats-train-x.npy",
         "a NumPy array, not an archive of them; as data give npy:"},
        {3, "$downhill predict --data $set --model $scratch/cut.npz", "not a complete NPZ file"},
        {3, "$downhill predict --data $set --model $scratch", "m"},
        {4, "$downhill predict --data $set --model $scratch/m.npz --isa sse9", "no such ISA level"},
        {2, "$downhill gradcheck --data $floats --dtype u8", "use --dtype f32"},
        {2, "$downhill gradcheck --data $set --h 2", "2 is out of range"},
        {4, "$downhill gradcheck --data $set --isa sse9", "no such ISA level"},
        {1, "$downhill gradcheck --data $set --loss hinge --dtype u8 --isa scalar --reg 0 --h 1",
         "coordinates have a kink within h"},
        {2, "$downhill landscape --data $set --directions 3", "3 is out of range"},
        {2, "$downhill landscape --data $set --model $scratch/m.npz --normalize raw",
         "leave --dtype and --normalize out"},
        {3, "$downhill landscape --data $other --model $scratch/m.npz", "has 21;"},
        {2, "$downhill landscape --data $set --model $scratch/m.npz --scale 0.01",
         "--scale: has no meaning with --model"},
        {2, "$downhill landscape --data $set --three-points",
         "--data: has no meaning with --three-points"},
        {2, "$downhill landscape --three-points --directions 1",
         "--directions: has no meaning with --three-points"},
        {2, "$downhill landscape --three-points --loss softmax",
         "--three-points needs --loss hinge"},
        {2, "OMPI_COMM_WORLD_SIZE=2 $downhill landscape --data $set", "start it without mpirun"},
        {2, "PMIX_RANK=0 $downhill gradcheck --data $set", "start it without mpirun"},
        {2, "$downhill step-sweep --data $set --model $scratch/m.npz --scale 0.01",
         "--scale: has no meaning with --model"},
        {2, "$downhill step-sweep --data $set --from 1 --to 0.1", "swap them"},
        {2, "$downhill step-sweep --data $set --from 0", "0 is out of range"},
        {3, "$downhill step-sweep --data $set --model $scratch/none.npz", "cannot open"},
    };
    const size_t files = scratch_count();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const int code = shell(bad[i].command);
        const char *line = after_warnings(shell_err);
        if (code != bad[i].code || strstr(line, bad[i].message) == NULL ||
            count_of(line, '\n') != 1 || strncmp(line, "downhill: ", 10) != 0)
            fail_msg("%s: exit code %d, not %d\nout: %s\nerr: %s", bad[i].command, code,
                     bad[i].code, shell_out, shell_err);
    }
    assert_int_equal(scratch_count(), files); /* no partial output is left */
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
    "$downhill landscape --data $set --model $scratch/m.npz --points 5 --loss softmax",
    "$downhill train --data $set --loss softmax --batch 600 --epochs 1",
    "$downhill gradcheck --data $set --dtype u8 --loss softmax --isa scalar",
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

static void test_quiet__every_command__prints_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        run_with(i, "");
        assert_true(shell_out[0] != '\0');
        run_with(i, "--quiet");
        if (shell_out[0] != '\0' || after_warnings(shell_err)[0] != '\0')
            fail_msg("%s --quiet: out: %s\nerr: %s", commands[i], shell_out, shell_err);
    }
}

static void test_json__to_stdout_or_a_file__nothing_else_in_it(void **state)
{
    (void)state;
    static const char *const keys[N_COMMANDS] = {
        "training",  "training",  "training", "training",  "training",  "prediction", "gradcheck",
        "landscape", "landscape", "training", "gradcheck", "landscape", "landscape",  "step_sweep"};
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

static void test_random_search__points__each_a_new_best(void **state)
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

static void test_numerical__step__cost_in_the_results(void **state)
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
    /* With all coordinates it is the ratio of the times, which may be below 1 on a busy machine. */
    assert_true(number(run, "numerical_s") > 0.0 && number(run, "analytic_s") > 0.0);
    const double ratio = number(run, "numerical_s") / number(run, "analytic_s");
    assert_true(fabs(number(run, "numerical_to_analytic") / ratio - 1.0) < 1e-6);
    assert_true(number(run, "gradient_difference") < 0.05);
    json_decref(root);
}

/* From random weights, small steps along the gradient lower the loss, and a huge one raises it. */
static void test_step_sweep__small_steps__lower_the_loss(void **state)
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

/* Values are printed as they were given, not as rounded to f32: 0.3, not 0.300000012. */
static void test_train__values__printed_as_given(void **state)
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

static void test_train__output_files__named_in_the_output(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $set --epochs 1 --model $scratch/named.npz "
                           "--checkpoint $scratch/named-c.npz"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "/named.npz\n"));
    assert_non_null(strstr(shell_out, "/named-c.npz\n"));
    shell("rm $scratch/named*");
}

/* The loss of a landscape defaults to the one that the model was trained with. */
static void test_landscape__model__loss_of_the_model(void **state)
{
    (void)state;
    static const struct {
        const char *more, *loss;
        double reg, delta;
    } cases[] = {{"", "softmax", 0.25, 1.0},
                 {"--loss hinge --delta 2", "hinge", 0.25, 2.0},
                 {"--reg 0.5", "softmax", 0.5, 1.0}};
    assert_int_equal(shell("$downhill train --data $floats --loss softmax --reg 0.25 --quiet "
                           "--model $scratch/s.npz"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(asprintf(&command,
                             "$downhill landscape --data $floats --model $scratch/s.npz "
                             "--points 3 --json - %s",
                             cases[i].more) > 0);
        assert_int_equal(shell(command), EXIT_OK);
        json_t *root = parsed(shell_out);
        const json_t *o = json_object_get(root, "landscape");
        assert_string_equal(string(o, "loss"), cases[i].loss);
        assert_true(number(o, "reg") == cases[i].reg && number(o, "delta") == cases[i].delta);
        json_decref(root);
        free(command);
    }
    shell("rm $scratch/s.npz");
}

static void test_model__every_level_and_thread_count__same_digest(void **state)
{
    (void)state;
    char *first = NULL;
    static const char *const cases[] = {"--isa scalar", "--isa scalar --threads 3", ""};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *command;
        assert_true(
            asprintf(&command,
                     "$downhill train --data $set --momentum 0.9 --schedule cosine --json - %s",
                     cases[i]) > 0);
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

/* On bytes, all levels make the same model. In f32, this test compares the digests itself. */
static void test_train__several_levels__digests_compared(void **state)
{
    (void)state;
    static const char line[] = "\nmodel digest ";
    static const char *const dtypes[] = {"u8", "f32"};
    for (int f32 = 0; f32 < 2; f32++) {
        char command[128];
        snprintf(command, sizeof command, "$downhill train --data $set --dtype %s --isa all",
                 dtypes[f32]);
        assert_int_equal(shell(command), EXIT_OK);
        const char *first = strstr(shell_out, line);
        assert_non_null(first);
        size_t count = 0, same = 0;
        for (const char *at = first; at != NULL; at = strstr(at + 1, line)) {
            count++;
            same += strncmp(at, first, sizeof line - 1 + 64) == 0;
        }
        char want[128];
        const char *digest = first + sizeof line - 1;
        if (same == count)
            snprintf(want, sizeof want, "\nmodel digest: the same at all %zu levels (%.8s...)\n",
                     count, digest);
        else
            snprintf(want, sizeof want, "\nmodel digests differ: %.8s... (scalar", digest);
        assert_true(f32 || same == count);
        assert_int_equal(strstr(shell_out, want) != NULL, count > 1);
        assert_int_equal(strstr(shell_out, "; this is expected in f32") != NULL, same < count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invalid_commands__one_line_and_exit_code),
        cmocka_unit_test(test_quiet__every_command__prints_nothing),
        cmocka_unit_test(test_json__to_stdout_or_a_file__nothing_else_in_it),
        cmocka_unit_test(test_random_search__points__each_a_new_best),
        cmocka_unit_test(test_numerical__step__cost_in_the_results),
        cmocka_unit_test(test_step_sweep__small_steps__lower_the_loss),
        cmocka_unit_test(test_train__values__printed_as_given),
        cmocka_unit_test(test_train__output_files__named_in_the_output),
        cmocka_unit_test(test_landscape__model__loss_of_the_model),
        cmocka_unit_test(test_model__every_level_and_thread_count__same_digest),
        cmocka_unit_test(test_train__several_levels__digests_compared),
    };
    return cmocka_run_group_tests_name("cli_train", tests, setup, shell_close);
}
