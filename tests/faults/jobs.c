/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "jobs.h"

#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"
#include "train/checkpoint.h"

#include <fcntl.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA "--data $data "

const job jobs[] = {
    {.name = "train",
     .command = "train " DATA "--epochs 1 --batch 30 --json $scratch/o.json --model $scratch/o.npz",
     .outputs = {"o.json", "o.npz"},
     .killed = true},
    {.name = "checkpoint",
     .command =
         "train " DATA "--epochs 2 --batch 30 --checkpoint $scratch/o.npz --every 1 --momentum 0.5 "
         "--dtype f32 --validation 0.2 --threads 2",
     .outputs = {"o.npz"},
     .killed = true},
    {.name = "resume",
     .command =
         "train " DATA "--resume $scratch/half.npz --epochs 2 --checkpoint $scratch/o.npz --quiet",
     .outputs = {"o.npz"}},
    {.name = "train_mapped",
     .command = "train " DATA "--mmap --epochs 1 --batch 30 --model $scratch/o.npz",
     .outputs = {"o.npz"}},
    {.name = "train_libsvm",
     .command = "train --data libsvm:$scratch/l-train.libsvm --normalize standardize --epochs 1 "
                "--model $scratch/o.npz",
     .outputs = {"o.npz"}},
    {.name = "lbfgs",
     .command = "train " DATA "--method lbfgs --loss softmax --iterations 2 --model $scratch/o.npz",
     .outputs = {"o.npz"}},
    {.name = "local_search",
     .command = "train " DATA "--method local-search --tries 3 --model $scratch/o.npz",
     .outputs = {"o.npz"}},
    {.name = "predict",
     .command = "predict " DATA
                "--model $scratch/m.npz --csv $scratch/o.csv --scores --json $scratch/o.json",
     .outputs = {"o.csv", "o.json"},
     .killed = true},
    {.name = "predict_new",
     .command = "predict --data idx:$scratch/i-train-images.idx,$scratch/i-train-labels.idx "
                "--model $scratch/m.npz --csv $scratch/o.csv --json $scratch/o.json",
     .outputs = {"o.csv", "o.json"}},
    {.name = "gradcheck", .command = "gradcheck " DATA "--samples 5 --coordinates 4 --isa scalar"},
    {.name = "landscape",
     .command =
         "landscape " DATA "--model $scratch/m.npz --points 3 --directions 2 --csv $scratch/o.csv",
     .outputs = {"o.csv"}},
    {.name = "step_sweep",
     .command = "step-sweep " DATA "--points 2 --csv $scratch/o.csv --json $scratch/o.json",
     .outputs = {"o.csv", "o.json"}},
    {.name = "data_check",
     .command = "data check " DATA "--json $scratch/o.json",
     .outputs = {"o.json"}},
    {.name = "data_check_mapped",
     .command =
         "data check --data idx:$scratch/i-train-images.idx,$scratch/i-train-labels.idx --mmap"},
    {.name = "data_check_npz", .command = "data check --data npz:$scratch/z.npz"},
    {.name = "data_check_cifar", .command = "data check --data cifar10:$scratch/c"},
    {.name = "data_check_cifar_mapped", .command = "data check --data cifar10:$scratch/c --mmap"},
    {.name = "data_gen_npy",
     .command =
         "data gen --samples 9 --test-samples 4 --features 5 --classes 3 -o $scratch/o --json "
         "$scratch/o.json",
     .outputs = {"o-train-x.npy", "o-train-y.npy", "o-test-x.npy", "o-test-y.npy", "o-w.npy",
                 "o-b.npy", "o.json"},
     .killed = true,
     .fresh = true},
    {.name = "data_gen_libsvm",
     .command = "data gen --samples 9 --test-samples 4 --features 5 --classes 3 --format libsvm -o "
                "$scratch/o",
     .outputs = {"o-train.libsvm", "o-test.libsvm", "o-w.npy", "o-b.npy"},
     .fresh = true},
    {.name = "reproduce", .command = "reproduce --isa scalar --threads 2"},
    {.name = "verify", .command = "verify --kernel update_f32 --isa scalar --case 3"},
    {.name = "info", .command = "info --json"},
    {.name = "bench_list", .command = "bench --list --quick"},
    {.name = "bench",
     .command = "bench --quick --filter '^update_f32/scalar/' --shape 8x16x4 --repetitions 2 "
                "--precision 0 "
                "--min-time 1ms --no-ceilings --threads 1 --json $scratch/o.json",
     .outputs = {"o.json"},
     .slow = true},
};
const size_t n_jobs = sizeof jobs / sizeof jobs[0];

struct bytes {
    char *all;
    size_t size;
};

static outcome last;
static const job *last_job;
static size_t files_before;
static struct bytes kept_bytes[OUTPUTS_MAX]; /* of tables and data */
static json_t *kept_document[OUTPUTS_MAX];
static struct bytes old_bytes[OUTPUTS_MAX];

static void forget(void)
{
    for (size_t i = 0; i < OUTPUTS_MAX; i++) {
        free(kept_bytes[i].all);
        free(old_bytes[i].all);
        json_decref(kept_document[i]);
        kept_bytes[i].all = old_bytes[i].all = NULL;
        kept_document[i] = NULL;
    }
}

int jobs_open(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    setenv("faulty", DOWNHILL_FAULTY, 1);
    setenv("OMP_WAIT_POLICY", "passive", 1); /* waiting threads take no CPU time */
    setenv("DOWNHILL_FAULT_REPORT", scratch_path("report"), 1);
    const int code = shell(
        "$downhill data gen --samples 60 --test-samples 20 --features 12 --classes 3 "
        "-o $scratch/d && "
        "$downhill data gen --samples 40 --test-samples 0 --features 12 --classes 3 "
        "--format libsvm --quiet -o $scratch/l && "
        "$downhill data gen --samples 20 --features 12 --classes 3 --format idx --quiet "
        "-o $scratch/i && mkdir $scratch/c && "
        "/usr/bin/python3 -c \"import numpy as np; np.savez('$scratch/z.npz', y=list('abcabcabc'), "
        "X=np.asfortranarray(np.eye(9, 4) + 1e-9))\" && "
        "$downhill data gen --samples 10 --test-samples 2 --format cifar10 --quiet -o $scratch/c");
    assert_int_equal(code, EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    setenv("data", shell_out, 1);
    assert_int_equal(
        shell("$downhill train --data $data --epochs 1 --batch 30 --model $scratch/m.npz && "
              "$downhill train --data $data --epochs 1 --batch 30 --momentum 0.5 "
              "--checkpoint $scratch/half.npz; code=$?; "
              "touch $scratch/report; exit $code"),
        EXIT_OK);
    files_before = scratch_count();
    return 0;
}

int jobs_close(void **state)
{
    forget();
    free(last.out);
    free(last.err);
    last.out = last.err = NULL;
    return shell_close(state);
}

int jobs_run_tests(const char *group, bool killed, const char *const *kinds, size_t n_kinds,
                   void (*test)(void **state))
{
    enum { TESTS_MAX = 128 };
    static job_test states[TESTS_MAX];
    static struct CMUnitTest tests[TESTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < n_kinds * n_jobs && count < TESTS_MAX; i++) {
        job_test *t = &states[count];
        *t = (job_test){.job = &jobs[i % n_jobs], .kind = kinds[i / n_jobs]};
        if (killed && !t->job->killed)
            continue;
        snprintf(t->name, sizeof t->name, "test_%s__%s__old_or_new_and_complete", t->job->name,
                 t->kind);
        tests[count++] =
            (struct CMUnitTest){.name = t->name, .test_func = test, .initial_state = t};
    }
    return _cmocka_run_group_tests(group, tests, count, jobs_open, jobs_close);
}

size_t job_next(const job *j, size_t n)
{
    return j->slow && getenv("DOWNHILL_EVERY_FAULT") == NULL ? 4 * n : n + 1;
}

/* ---- running ---- */

/* Runs the program. Returns its exit code, or minus the number of a signal. The shell is replaced
 * by the program (exec), because it would turn a signal into an exit code. */
static int run_program(const char *command)
{
    extern char **environ;
    char *line;
    assert_true(asprintf(&line, "exec $faulty %s", command) > 0);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, scratch_path("cli-out"),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_addopen(&files, 2, scratch_path("cli-err"),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0666);
    char *const arguments[] = {"sh", "-c", line, NULL};
    pid_t child;
    int status;
    assert_int_equal(posix_spawn(&child, "/bin/sh", &files, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    posix_spawn_file_actions_destroy(&files);
    free(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static struct bytes read_bytes(const char *name)
{
    struct stat info;
    assert_int_equal(stat(scratch_path(name), &info), 0);
    return (struct bytes){read_text(scratch_path(name)), (size_t)info.st_size};
}

static bool is_old(size_t output, const char *name)
{
    const struct bytes now = read_bytes(name), *old = &old_bytes[output];
    const bool same = now.size == old->size && memcmp(now.all, old->all, now.size) == 0;
    free(now.all);
    return same;
}

/* Deletes the outputs of the last job and the temporary files beside them. */
static void clear_outputs(void)
{
    for (size_t i = 0; last_job != NULL && i < OUTPUTS_MAX && last_job->outputs[i] != NULL; i++) {
        char pattern[4096];
        glob_t found;
        snprintf(pattern, sizeof pattern, "%s*", scratch_path(last_job->outputs[i]));
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t f = 0; f < found.gl_pathc; f++)
            unlink(found.gl_pathv[f]);
        globfree(&found);
    }
}

const outcome *job_run(const job *j, const char *kind, size_t n, bool old)
{
    size_t expected = files_before;
    char fault[64];
    snprintf(fault, sizeof fault, "%s:%zu", kind != NULL ? kind : "", n);
    clear_outputs();
    last_job = j;
    for (size_t i = 0; old && i < OUTPUTS_MAX && j->outputs[i] != NULL; i++)
        write_raw(scratch_path(j->outputs[i]), old_bytes[i].all, old_bytes[i].size);
    write_raw(scratch_path("report"), "", 0);
    setenv("DOWNHILL_FAULT", kind != NULL ? fault : "", 1);
    free(last.out);
    free(last.err);
    last = (outcome){.code = run_program(j->command)};
    last.out = read_text(scratch_path("cli-out"));
    last.err = read_text(scratch_path("cli-err"));
    char *report = read_text(scratch_path("report"));
    last.hit = sscanf(report, "%63s %4095[^\n]", last.function, last.path) >= 1;
    free(report);
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++) {
        const char *path = scratch_path(j->outputs[i]);
        const bool exists = access(path, F_OK) == 0;
        expected += exists;
        last.gone[i] = !exists;
        last.kept[i] = old ? exists && is_old(i, j->outputs[i]) : !exists;
    }
    last.extra = scratch_count() - expected;
    return &last;
}

/* ---- completeness ---- */

static bool is_kind(const char *name, const char *ending)
{
    const size_t length = strlen(name), of_ending = strlen(ending);
    return length > of_ending && strcmp(name + length - of_ending, ending) == 0;
}

/* Reads a model or checkpoint with all its parts and returns its record. Fails the test if a part
 * cannot be read. */
static json_t *read_model(const char *path, const char *context)
{
    model_file m;
    sgd_state state;
    if (model_file_read(path, &m) != EXIT_OK)
        fail_msg("%s: %s cannot be read", context, path);
    if (json_object_get(m.record, "state") != NULL) {
        if (checkpoint_take(path, &m, &state) != EXIT_OK)
            fail_msg("%s: %s is not a complete checkpoint", context, path);
        sgd_state_free(&state);
    }
    json_t *record = json_incref(m.record);
    model_file_close(&m);
    return record;
}

static json_t *read_document(const char *name, const char *context)
{
    json_error_t error;
    if (is_kind(name, ".npz"))
        return read_model(scratch_path(name), context);
    json_t *root = json_load_file(scratch_path(name), JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s: %s: line %d: %s", context, name, error.line, error.text);
    return root;
}

static bool is_document(const char *name)
{
    return is_kind(name, ".json") || is_kind(name, ".npz");
}

/* Makes an old file of the output's kind. JSON and tables get one byte more, so that the new file
 * differs. */
static struct bytes make_old(const job *j, const char *name)
{
    struct bytes old = read_bytes(name);
    if (j->fresh && !is_kind(name, ".json"))
        old.size = 0;
    else if (is_kind(name, ".json") || is_kind(name, ".csv"))
        old.all[old.size++] = '\n'; /* in place of the terminator */
    return old;
}

void job_keep(const job *j)
{
    forget();
    for (size_t i = 0; i < OUTPUTS_MAX && j->outputs[i] != NULL; i++) {
        old_bytes[i] = make_old(j, j->outputs[i]);
        if (is_document(j->outputs[i]))
            kept_document[i] = read_document(j->outputs[i], j->command);
        else
            kept_bytes[i] = read_bytes(j->outputs[i]);
    }
}

/* Returns whether a member may differ because it varies from run to run, or because it describes
 * the machine and the fault may be in a file about the machine. */
static bool may_differ(const char *key, extent e)
{
    const bool noise = strcmp(key, "warnings") == 0 || strcmp(key, "topology_xml") == 0;
    const bool probed = strcmp(key, "machine") == 0 || strcmp(key, "conditions") == 0;
    return noise || (probed && e == WHOLE_BUT_MACHINE);
}

/* Returns whether b has all members and elements of a. Numbers may differ or be null. */
static bool same_shape(const json_t *a, const json_t *b, extent e)
{
    const char *key;
    const json_t *member;
    if (json_is_object(a)) {
        json_object_foreach((json_t *)(uintptr_t)a, key, member)
        {
            const json_t *other = json_object_get(b, key);
            if (other == NULL || (!may_differ(key, e) && !same_shape(member, other, e)))
                return false;
        }
        return json_is_object(b);
    }
    if (json_is_array(a)) {
        bool same = json_is_array(b) && json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++)
            same = same_shape(json_array_get(a, i), json_array_get(b, i), e);
        return same;
    }
    if (json_is_null(a) || json_is_number(a) || json_is_boolean(a))
        return json_is_null(b) || json_is_number(b) || json_is_boolean(b);
    return json_typeof(a) == json_typeof(b);
}

void job_check(const job *j, size_t output, extent e, const char *context)
{
    const char *name = j->outputs[output];
    if (is_document(name)) {
        json_t *now = read_document(name, context);
        const json_t *before = kept_document[output];
        const json_t *digest = json_object_get(before, "model_digest");
        if (e != READABLE &&
            (!same_shape(before, now, e) ||
             (digest != NULL && !json_equal(digest, json_object_get(now, "model_digest")))))
            fail_msg("%s: %s lacks a part that a run without faults writes", context, name);
        json_decref(now);
    } else {
        const struct bytes now = read_bytes(name), *before = &kept_bytes[output];
        if (now.size != before->size || memcmp(now.all, before->all, now.size) != 0)
            fail_msg("%s: %s differs from that of a run without faults", context, name);
        free(now.all);
    }
}
