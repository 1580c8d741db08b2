/* SPDX-License-Identifier: MIT
 *
 * downhill train --checkpoint, killed at random times and continued with --resume. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/rng.h"
#include "shell.h"
#include "support.h"
#include "train/checkpoint.h"
#include "trainer_support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int open_all(void **state)
{
    dataset data;
    char *spec;
    if (shell_open(state) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        const trainer_size size = {240, 60, 21, 4};
        trainer_data(&size, true, 20 + (uint64_t)i, &data);
        trainer_write_idx(&data.train, i == 0 ? "x" : "other-x", i == 0 ? "y" : "other-y");
        trainer_write_idx(&data.test, "tx", "ty");
        dataset_close(&data);
    }
    assert_true(asprintf(&spec, "idx:%s,%s,%s,%s", scratch_path("x"), scratch_path("y"),
                         scratch_path("tx"), scratch_path("ty")) > 0);
    setenv("data", spec, 1);
    free(spec);
    return 0;
}

/* Runs a command line and kills it after `ms` milliseconds. Returns whether it had finished
 * before. */
static bool start_and_kill(const char *line, unsigned ms)
{
    char *command;
    assert_true(asprintf(&command, "exec %s", line) > 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    free(command);
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), EXIT_OK);
    return WIFEXITED(status);
}

/* Returns the number of steps in the checkpoint, or 0 if there is none yet. An unreadable
 * checkpoint fails the test. */
static size_t steps_in(const char *path, size_t per_epoch)
{
    model_file m;
    sgd_state from;
    if (access(path, F_OK) != 0)
        return 0;
    assert_int_equal(model_file_read(path, &m), EXIT_OK);
    assert_int_equal(checkpoint_take(path, &m, &from), EXIT_OK);
    const size_t steps = from.epoch * per_epoch + from.step;
    model_file_close(&m);
    sgd_state_free(&from);
    return steps;
}

static char *digest_of(const char *line)
{
    if (shell(line) != EXIT_OK)
        fail_msg("%s: %s", line, shell_err);
    json_t *root = parsed(shell_out);
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    char *digest = strdup(string(run, "model_digest"));
    json_decref(root);
    return digest;
}

/* 15 steps per epoch, each with a checkpoint that is synced to disk: slow enough to be killed many
 * times. */
#define TRAIN "$downhill train --data \"$data\" --batch 16 --epochs 40 "

static void kill_and_resume(const char *options, uint64_t seed)
{
    enum { KILLS = 8, PER_EPOCH = 15 };
    const char *path = scratch_path("k.npz");
    char *line, *begin, *resume = NULL;
    unlink(path);
    assert_true(asprintf(&line, TRAIN "%s --json -", options) > 0);
    assert_true(asprintf(&begin, TRAIN "%s --checkpoint $scratch/k.npz --every 1", options) > 0);
    char *want = digest_of(line);
    rng r = rng_seeded(seed);
    size_t steps = 0, moved = 0;
    bool done = false;
    for (int i = 0; i < KILLS && !done; i++) {
        const unsigned ms = 30 + (unsigned)rng_below(&r, 220);
        done = start_and_kill(steps > 0 ? "$downhill train --resume $scratch/k.npz" : begin, ms);
        const size_t now = steps_in(path, PER_EPOCH);
        assert_true(now >= steps); /* saved steps are never lost */
        moved += now > steps;
        steps = now;
    }
    print_message("%s: progress in %zu runs, up to step %zu\n", options, moved, steps);
    if (steps == 0) /* the machine was too slow to save a step */
        assert_int_equal(shell(begin), EXIT_OK);
    assert_true(asprintf(&resume, "$downhill train --resume $scratch/k.npz --json -") > 0);
    char *got = digest_of(resume);
    assert_string_equal(got, want);
    free(got);
    free(want);
    free(line);
    free(begin);
    free(resume);
}

static void test_resume__killed_at_random__same_model(void **state)
{
    (void)state;
    kill_and_resume("--momentum 0.9 --nesterov", 1);
    kill_and_resume("--dtype f32 --loss softmax --validation 20% --schedule cosine --lr 0.1", 2);
}

static void test_resume__killed__checkpoint_is_complete(void **state)
{
    (void)state;
    /* Temporary files of interrupted writes may remain, but the checkpoint itself is complete. */
    steps_in(scratch_path("k.npz"), 15);
    assert_int_equal(shell("$downhill predict --data $data --model $scratch/k.npz --quiet"),
                     EXIT_OK);
}

/* ---- runs that cannot be resumed ---- */

static void expect_error(int code, const char *command, const char *message)
{
    const int got = shell(command);
    const char *line = shell_err;
    while (strncmp(line, "downhill: warning: ", 19) == 0)
        line = strchr(line, '\n') + 1;
    if (got != code || strstr(line, message) == NULL || count_of(line, '\n') != 1)
        fail_msg("%s: exit code %d, not %d\nstderr: %s", command, got, code, shell_err);
}

static void test_resume__changed_option__refused(void **state)
{
    (void)state;
    static const char *const changes[] = {"--lr 0.03",   "--momentum 0.5",   "--batch 8",
                                          "--seed 3",    "--loss softmax",   "--dtype f32",
                                          "--reg 0",     "--validation 10%", "--normalize center",
                                          "--delta 2",   "--shuffle batch",  "--schedule cosine",
                                          "--nesterov",  "--method lbfgs",   "--method numerical",
                                          "--patience 3"};
    char *line;
    assert_int_equal(shell("$downhill train --data $data --epochs 2 --checkpoint $scratch/c.npz "
                           "--model $scratch/m.npz --quiet"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_true(asprintf(&line, "$downhill train --resume $scratch/c.npz %s", changes[i]) > 0);
        expect_error(EXIT_USAGE, line, "cannot differ from the first run");
        free(line);
    }
    expect_error(EXIT_USAGE, "$downhill train --resume $scratch/c.npz --epochs 1",
                 "give at least as many");
    expect_error(EXIT_USAGE, "$downhill train --resume $scratch/c.npz --isa all", "give one level");
    expect_error(EXIT_DATA, "$downhill train --resume $scratch/m.npz", "not a checkpoint");
    expect_error(EXIT_DATA, "$downhill train --resume $scratch/none.npz", "No such file");
    expect_error(EXIT_DATA, "$downhill train --resume $scratch/x", "x: not a model of downhill");
    expect_error(EXIT_DATA,
                 "head -c 1500 $scratch/c.npz > $scratch/cut.npz; "
                 "$downhill train --resume $scratch/cut.npz",
                 "cut.npz");
    assert_int_equal(shell("$downhill train --data $data --epochs 2 --schedule cosine "
                           "--checkpoint $scratch/cos.npz --quiet"),
                     EXIT_OK);
    expect_error(EXIT_USAGE, "$downhill train --resume $scratch/cos.npz --epochs 3", "cosine");
}

static void test_resume__moved_data__error_names_the_remedy(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $data --epochs 1 --checkpoint $scratch/c.npz "
                           "--quiet; mv $scratch/x $scratch/x0"),
                     EXIT_OK);
    assert_int_equal(shell("$downhill train --resume $scratch/c.npz --epochs 2 --quiet"),
                     EXIT_DATA);
    assert_non_null(strstr(shell_err, "if its files were moved, give --data as well"));
    assert_int_equal(shell("mv $scratch/x0 $scratch/x; $downhill train --resume $scratch/c.npz "
                           "--epochs 2 --quiet"),
                     EXIT_OK);
}

static void test_resume__other_data__refused(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $data --epochs 1 --checkpoint $scratch/c.npz "
                           "--quiet; cp $scratch/x $scratch/x0; cp $scratch/other-x $scratch/x"),
                     EXIT_OK);
    expect_error(EXIT_DATA, "$downhill train --resume $scratch/c.npz --epochs 2",
                 "is not the data of the checkpoint: other features or labels");
    assert_int_equal(shell("cp $scratch/x0 $scratch/x && $downhill train --resume $scratch/c.npz "
                           "--epochs 2 --quiet"),
                     EXIT_OK);
}

/* The file is consistent, with valid checksums and digest, but its weights have another shape than
 * the data that its record names. */
static void test_resume__weights_of_another_shape__refused(void **state)
{
    (void)state;
    static const trainer_size sizes[] = {{240, 60, 5000, 4}, {240, 60, 21, 9}, {240, 60, 3, 4}};
    assert_int_equal(shell("$downhill train --data $data --epochs 1 --momentum 0.5 --quiet "
                           "--checkpoint $scratch/c.npz"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dataset data;
        features f;
        model_file m, other = {.bytes = true};
        trainer_data(&sizes[i], true, 3, &data);
        assert_true(features_open(FEATURES_U8, &data, NORMALISE_NONE, 1, &f));
        assert_int_equal(model_file_read(scratch_path("c.npz"), &m), EXIT_OK);
        other.norm = f.norm;
        other.weights = trainer_weights(sizes[i].d, sizes[i].c, 1);
        other.velocity = trainer_weights(sizes[i].d, sizes[i].c, 2);
        other.record = m.record;
        assert_int_equal(model_file_write(scratch_path("o.npz"), &other, &data), EXIT_OK);
        const int code = shell("$downhill train --resume $scratch/o.npz --epochs 2");
        if (code != EXIT_DATA || strstr(shell_err, "do not match its options and data") == NULL)
            fail_msg("shape %zu: exit code %d: %s", i, code, shell_err);
        weights_free(&other.weights);
        weights_free(&other.velocity);
        model_file_close(&m);
        features_close(&f);
        dataset_close(&data);
    }
    shell("rm $scratch/o.npz $scratch/c.npz");
}

/* Options that may change keep their first value unless they are given again. */
static void test_resume__outputs__kept_from_the_first_run(void **state)
{
    (void)state;
    assert_int_equal(shell("cd $scratch && $downhill train --data $data --epochs 2 --batch 16 "
                           "--model a.npz --json a.json --checkpoint c.npz --every 4 --threads 2 "
                           "--quiet && mkdir in && rm a.npz a.json"),
                     EXIT_OK);
    /* Relative paths start at the current directory. */
    assert_int_equal(shell("cd $scratch/in && $downhill train --resume ../c.npz --epochs 3"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "resumes ../c.npz after 2 of 3 epochs, with --model a.npz "
                                      "--batch 16 --epochs 3 --checkpoint ../c.npz --every 4 "
                                      "--data "));
    assert_non_null(strstr(shell_out, " --threads 2 --json a.json "));
    assert_int_equal(shell("cd $scratch/in && rm a.npz a.json && $downhill train --resume "
                           "../c.npz --epochs 4 --model b.npz --threads 1 --quiet"),
                     EXIT_OK);
    json_t *root = parsed_file("in/a.json");
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    assert_true(number(run, "threads") == 1.0 && number(run, "epochs_asked") == 4.0);
    model_file m;
    assert_int_equal(model_file_read(scratch_path("in/b.npz"), &m), EXIT_OK);
    assert_string_equal(string(m.record, "model_digest"), string(run, "model_digest"));
    model_file_close(&m);
    json_decref(root);
    assert_int_equal(access(scratch_path("in/a.npz"), F_OK), -1);
    shell("rm -r $scratch/in $scratch/c.npz");
}

static char *arguments_of(const char *path)
{
    model_file m;
    assert_int_equal(model_file_read(path, &m), EXIT_OK);
    char *text = json_dumps(json_object_get(m.record, "arguments"), JSON_COMPACT);
    model_file_close(&m);
    return text;
}

/* A resumed run writes the options of the first run into its checkpoint. */
static void test_resume__every_option__kept(void **state)
{
    (void)state;
    static const char *const options[] = {
        "--batch 16 --shuffle batch --schedule step --lr 0.1 --lr-factor 0.3 --lr-every 2 "
        "--momentum 0.7 --nesterov --epochs 3 --validation 15% --patience 9 --every 5 --threads 2 "
        "--isa scalar --loss softmax --dtype f32 --normalize center --reg 0.003 --seed 77",
        "--delta 0.7 --mmap --schedule inverse --lr-factor 0.01 --batch all --json $scratch/e.json",
    };
    for (int i = 0; i < 2; i++) {
        char *line;
        assert_true(asprintf(&line,
                             "$downhill train --data $data %s --model $scratch/e.npz "
                             "--checkpoint $scratch/c.npz --quiet",
                             options[i]) > 0);
        assert_int_equal(shell(line), EXIT_OK);
        free(line);
        char *before = arguments_of(scratch_path("c.npz"));
        assert_int_equal(shell("rm $scratch/e.npz && $downhill train --resume $scratch/c.npz "
                               "--epochs 12 && rm $scratch/e.npz"),
                         EXIT_OK);
        char *after = arguments_of(scratch_path("c.npz"));
        /* --epochs was 3, or not given, and is now 12 */
        char *at = strstr(before, "\"--epochs\",\"3\""),
             *now = strstr(after, "\"--epochs\",\"12\"");
        assert_non_null(now);
        const size_t given = strlen("\"--epochs\",\"3\""), taken = given + 1;
        const size_t head = (size_t)(now - after);
        assert_memory_equal(before, after, head);
        assert_string_equal(before + head + (at != NULL ? given : 0),
                            now + taken + (at != NULL ? 0 : 1));
        free(before);
        free(after);
    }
    assert_int_equal(shell("rm $scratch/e.json $scratch/c.npz"), EXIT_OK);
}

/* A checkpoint of an old version, which lists no outputs and has values as converted from f32. */
static void test_resume__old_checkpoint__same_model(void **state)
{
    (void)state;
    static const char *const old[] = {
        "--epochs",    "2",    "--lr",  "0.00300000003",  "--loss",  "hinge", "--dtype", "u8",
        "--normalize", "none", "--reg", "0.000300000014", "--delta", "1",     "--data"};
    dataset data;
    model_file m;
    sgd_state from;
    const trainer_size size = {240, 60, 21, 4};
    assert_int_equal(
        shell("$downhill train --data $data --epochs 2 --lr 0.003 --reg 0.0003 --quiet "
              "--checkpoint $scratch/c.npz"),
        EXIT_OK);
    char *want = digest_of("$downhill train --data $data --epochs 3 --lr 0.003 --reg 0.0003 "
                           "--json -");
    trainer_data(&size, true, 1, &data); /* supplies the class names */
    assert_int_equal(model_file_read(scratch_path("c.npz"), &m), EXIT_OK);
    json_t *words = json_array();
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        json_array_append_new(words, json_string(old[i]));
    json_array_append_new(words, json_string(getenv("data")));
    json_object_set_new(m.record, "arguments", words);
    assert_int_equal(model_file_write(scratch_path("old.npz"), &m, &data), EXIT_OK);
    char *got = digest_of("$downhill train --resume $scratch/old.npz --epochs 3 --json -");
    assert_string_equal(got, want);
    assert_int_equal(checkpoint_take("old", &m, &from), EXIT_OK);
    sgd_state_free(&from);
    model_file_close(&m);
    dataset_close(&data);
    free(got);
    free(want);
    shell("rm $scratch/c.npz $scratch/old.npz");
}

/* Resuming with more epochs gives the same result as asking for all of them at first. */
static void test_resume__more_epochs__same_as_requested_at_first(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $data --epochs 3 --momentum 0.9 --quiet "
                           "--checkpoint $scratch/c.npz"),
                     EXIT_OK);
    char *want = digest_of("$downhill train --data $data --epochs 7 --momentum 0.9 --json -");
    char *got = digest_of("$downhill train --resume $scratch/c.npz --epochs 7 --json - "
                          "--model $scratch/m.npz");
    assert_string_equal(got, want);
    /* The checkpoint was updated, and the model has this digest. */
    assert_int_equal(steps_in(scratch_path("c.npz"), 1), 7);
    model_file m;
    assert_int_equal(model_file_read(scratch_path("m.npz"), &m), EXIT_OK);
    assert_string_equal(json_string_value(json_object_get(m.record, "model_digest")), want);
    model_file_close(&m);
    free(want);
    free(got);
}

/* Records show 0.3 as given, not as 0.300000012, which it is in f32. */
static void test_record__values__printed_as_given(void **state)
{
    (void)state;
    static const char *const files[] = {"m.npz", "c.npz"};
    assert_int_equal(shell("$downhill train --data $data --epochs 1 --lr 0.003 --reg 0.0003 "
                           "--delta 1.1 --quiet --model $scratch/m.npz --checkpoint "
                           "$scratch/c.npz"),
                     EXIT_OK);
    for (int i = 0; i < 2; i++) {
        model_file m;
        assert_int_equal(model_file_read(scratch_path(files[i]), &m), EXIT_OK);
        const json_t *objective = json_object_get(m.record, "objective");
        assert_true(number(objective, "reg") == 0.0003 && number(objective, "delta") == 1.1);
        char *arguments = json_dumps(json_object_get(m.record, "arguments"), JSON_COMPACT);
        assert_non_null(strstr(arguments, "\"--lr\",\"0.003\""));
        free(arguments);
        model_file_close(&m);
    }
}

static void test_resume__diverged__last_good_checkpoint(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill train --data $data --lr 100000 --reg 100000 --dtype f32 "
                           "--batch 16 --every 1 --checkpoint $scratch/d.npz --quiet"),
                     EXIT_CHECK);
    assert_non_null(strstr(shell_err, "diverged"));
    assert_non_null(strstr(shell_err, "d.npz"));
    const size_t steps = steps_in(scratch_path("d.npz"), 15);
    assert_true(steps > 0 && steps < 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume__killed_at_random__same_model),
        cmocka_unit_test(test_resume__killed__checkpoint_is_complete),
        cmocka_unit_test(test_resume__changed_option__refused),
        cmocka_unit_test(test_resume__moved_data__error_names_the_remedy),
        cmocka_unit_test(test_resume__other_data__refused),
        cmocka_unit_test(test_resume__weights_of_another_shape__refused),
        cmocka_unit_test(test_resume__outputs__kept_from_the_first_run),
        cmocka_unit_test(test_resume__every_option__kept),
        cmocka_unit_test(test_resume__old_checkpoint__same_model),
        cmocka_unit_test(test_resume__more_epochs__same_as_requested_at_first),
        cmocka_unit_test(test_record__values__printed_as_given),
        cmocka_unit_test(test_resume__diverged__last_good_checkpoint),
    };
    return cmocka_run_group_tests_name("resume_cli", tests, open_all, shell_close);
}
