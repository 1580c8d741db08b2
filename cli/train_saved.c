/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_saved.h"

#include "arguments.h"
#include "base/error.h"
#include "base/json_memory.h"
#include "base/output.h"
#include "base/warnings.h"
#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- resuming ---- */

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* Refuses options that would change the result: a resumed run must give the same bits as an
 * uninterrupted one. --data may be given again, since files may have moved; their contents are
 * compared later. */
static int refuse_changes(const cli_command *self, const train_config *given)
{
    static const char *const may_change[] = {"resume",  "json", "model",      "quiet",
                                             "threads", "isa",  "checkpoint", "every",
                                             "epochs",  "data", "mmap",       NULL};
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(self, i)) != NULL; i++)
        if (cli_is_given(self, given, i) && !is_one_of(o->name, may_change)) {
            error_line("train: --resume: --%s: cannot differ from the first run; leave it out",
                       o->name);
            return EXIT_USAGE;
        }
    return EXIT_OK;
}

/* Options that a checkpoint does not store: the file may have been renamed, and a stored --quiet
 * could not be undone. */
static const char *const left_out[] = {"resume", "quiet", "checkpoint", NULL};

/* Sets *config to the options that the checkpoint stores. */
static int read_arguments(const train_saved *saved, const cli_command *self, const char *path,
                          train_config *config)
{
    const json_t *words = json_object_get(saved->from.record, "arguments");
    int code = CLI_CONTINUE;
    *config = train_defaults;
    for (size_t w = 0; w < json_array_size(words) && code == CLI_CONTINUE; w++) {
        const char *word = json_string_value(json_array_get(words, w));
        if (word != NULL && strncmp(word, "--", 2) == 0 &&
            (is_one_of(word + 2, left_out) || strcmp(word, "--help") == 0))
            code = EXIT_DATA;
    }
    if (code == EXIT_DATA)
        error_line("%s: record.json: has options that no checkpoint has; the file is damaged",
                   path);
    else
        code = arguments_from_json(self, config, words);
    config->given = 0;
    return code == EXIT_USAGE ? EXIT_DATA : code;
}

static int check_state(const train_saved *saved, const train_config *config, size_t epochs_before)
{
    const char *path = config->resume;
    if (config->method != TRAIN_SGD ||
        (config->momentum > 0.0f) != (saved->state.velocity.w != NULL) ||
        (config->validation == 0.0 && saved->state.best_epoch > 0)) {
        error_line("%s: record.json: its options do not match its arrays; the file is damaged",
                   path);
        return EXIT_DATA;
    }
    if (saved->state.epoch > config->epochs) {
        error_line("train: --epochs %zu: %s has %zu already; give at least as many", config->epochs,
                   path, saved->state.epoch);
        return EXIT_USAGE;
    }
    if (config->schedule == SCHEDULE_COSINE && config->epochs != epochs_before) {
        error_line("train: --epochs: with --schedule cosine each step depends on it; leave it out");
        return EXIT_USAGE;
    }
    return CLI_CONTINUE;
}

int train_saved_resume(train_saved *saved, const cli_command *self, int argc, char **argv,
                       train_config *config)
{
    const char *path = config->resume;
    int operand, code = refuse_changes(self, config);
    if (code == EXIT_OK)
        code = model_file_read(path, &saved->from);
    if (code != EXIT_OK)
        return code;
    code = checkpoint_take(path, &saved->from, &saved->state);
    if (code != EXIT_OK)
        return code;
    saved->resumes = saved->has_checkpoint = true;
    if ((code = read_arguments(saved, self, path, config)) != CLI_CONTINUE)
        return code;
    const size_t epochs_before = config->epochs;
    code = cli_parse(self, config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    if (config->checkpoint == NULL)
        config->checkpoint = path;
    return check_state(saved, config, epochs_before);
}

void train_saved_print_resumed(const train_saved *saved, const cli_command *self)
{
    static const char *const not_told[] = {"resume", "quiet", NULL};
    if (!saved->resumes)
        return;
    const train_config *config = saved->config;
    json_t *words = arguments_to_json(self, config, &train_defaults, not_told);
    printf("resumes %s after %zu of %zu epochs", config->resume, saved->state.epoch,
           config->epochs);
    if (saved->state.step > 0)
        printf(" and %zu steps", saved->state.step);
    printf(", with");
    for (size_t w = 0; w < json_array_size(words); w++)
        printf(" %s", json_string_value(json_array_get(words, w)));
    putchar('\n');
    json_decref(words);
}

/* ---- the record ---- */

static json_t *data_to_json(const dataset *data, const char *digest)
{
    json_t *o = json_object();
    output_set(o, "name", json_string(data->name));
    output_set(o, "n_train", json_integer((json_int_t)(data->train.n + data->validation.n)));
    output_set(o, "d", json_integer((json_int_t)data->d));
    output_set(o, "c", json_integer((json_int_t)data->c));
    output_set(o, "digest", json_string(digest));
    return o;
}

/* Describes how `now` differs from `before`, the data of the checkpoint. */
static void describe_difference(const json_t *before, bool were_bytes, const json_t *now,
                                bool bytes, char *text, size_t room)
{
    static const struct {
        const char *key, *unit;
    } counts[] = {{"d", "features"}, {"c", "classes"}, {"n_train", "training samples"}};
    snprintf(text, room, "other features or labels of the samples");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const json_int_t was = json_integer_value(json_object_get(before, counts[i].key)),
                         is = json_integer_value(json_object_get(now, counts[i].key));
        if (was == is)
            continue;
        snprintf(text, room, "%lld %s instead of %lld", (long long)is, counts[i].unit,
                 (long long)was);
        return;
    }
    const char *was = json_string_value(json_object_get(before, "name")),
               *is = json_string_value(json_object_get(now, "name"));
    if (bytes != were_bytes)
        snprintf(text, room, "features of %s instead of %s", bytes ? "bytes" : "f32",
                 were_bytes ? "bytes" : "f32");
    else if (was != NULL && is != NULL && strcmp(was, is) != 0)
        snprintf(text, room, "%s instead of %s", is, was);
}

static int check_data(const train_saved *saved, const train_config *config, const dataset *data)
{
    const json_t *before = json_object_get(saved->from.record, "data");
    const bool bytes = data->stored[0].u8 != NULL;
    json_t *now = data_to_json(data, saved->data_digest);
    char difference[128] = "";
    if (bytes != saved->from.bytes || !json_equal(before, now))
        describe_difference(before, saved->from.bytes, now, bytes, difference, sizeof difference);
    json_decref(now);
    if (json_memory_failed()) { /* the difference may be a member that could not be allocated */
        error_line("%s: out of memory", config->resume);
        return EXIT_INTERNAL;
    }
    if (difference[0] == '\0')
        return EXIT_OK;
    error_line("%s: %s is not the data of the checkpoint: %s; give the data that it was trained on",
               config->resume, config->task.data, difference);
    return EXIT_DATA;
}

int train_saved_note_data(train_saved *saved, const train_config *config, const dataset *data)
{
    if (!samples_fingerprint(&data->train, saved->data_digest))
        return problem_digest_failed();
    return saved->resumes ? check_data(saved, config, data) : EXIT_OK;
}

static json_t *new_record(const cli_command *self, const train_config *config, const task *t,
                          const char *data_digest)
{
    json_t *record = json_object();
    output_set(record, "downhill", json_string(downhill_version()));
    output_set(record, "machine", json_string(t->machine.cpu_name));
    output_set(record, "arguments", arguments_to_json(self, config, &train_defaults, left_out));
    output_set(record, "objective", origin_objective(&config->task));
    output_set(record, "data", data_to_json(&t->data, data_digest));
    return record;
}

static size_t ranks_of(const train_saved *saved)
{
    const cluster *c = saved->task->problem.cluster;
    return c != NULL ? c->size : 1;
}

/* Returns whether the level of this name sums f32 in the fixed order, so that it gives the bits of any other that does. */
static bool has_fixed_order(const char *level)
{
    const downhill_kernels *kernels;
    return downhill_select(level, &kernels, NULL, 0) == DOWNHILL_OK && kernels->fixed_order_f32;
}

/* Checks that the weights of the checkpoint fit the data. Warns if training in f32 continues with
 * other arithmetic. */
static int check_record(const train_saved *saved, const train_run *run)
{
    const json_t *before = saved->from.record;
    const char *path = saved->config->resume;
    /* The record was compared with the data; the arrays may still contradict it. */
    const downhill_weights_f32 *w = &saved->state.weights;
    const task *t = saved->task;
    if (w->d != t->data.d || w->c != t->data.c || (int)saved->from.type != t->config->dtype ||
        (int)saved->from.norm.kind != t->config->normalise) {
        error_line("%s: its %zu x %zu weights of %s do not match its options and data; the file is "
                   "damaged",
                   path, w->c, w->d, feature_words[saved->from.type]);
        return EXIT_DATA;
    }
    const char *isa = json_string_value(json_object_get(before, "isa"));
    const json_int_t threads = json_integer_value(json_object_get(before, "threads")),
                     ranks = json_integer_value(json_object_get(before, "ranks"));
    const size_t n = saved->task->data.train.n, batch = saved->config->batch,
                 steps = batch < n ? (n + batch - 1) / batch : 1;
    if (saved->state.step > steps) {
        error_line("%s: record.json: step %zu of an epoch of %zu; the file is damaged", path,
                   saved->state.step, steps);
        return EXIT_DATA;
    }
    const bool other_level = isa == NULL || (strcmp(isa, run->isa) != 0 &&
                                             !(has_fixed_order(isa) && has_fixed_order(run->isa)));
    const bool other_workers =
        threads != (json_int_t)saved->config->task.threads || ranks != (json_int_t)ranks_of(saved);
    if (saved->config->task.dtype == FEATURES_F32 &&
        (other_level || (other_workers && !saved->config->task.reproducible)))
        warnings_add(
            saved->task->warnings,
            "training in f32 continues with %s, threads %zu, ranks %zu after %s, threads %lld, "
            "ranks %lld: the last bits will differ from those of an uninterrupted run",
            run->isa, saved->config->task.threads, ranks_of(saved),
            isa != NULL ? isa : "another level", (long long)threads, (long long)ranks);
    return EXIT_OK;
}

int train_saved_open(train_saved *saved, const cli_command *self, const train_config *config,
                     const task *t, const train_run *run)
{
    saved->config = config;
    saved->task = t;
    if (config->model == NULL && config->checkpoint == NULL)
        return EXIT_OK;
    saved->record = new_record(self, config, t, saved->data_digest);
    return saved->resumes ? check_record(saved, run) : EXIT_OK;
}

void train_saved_close(train_saved *saved)
{
    model_file_close(&saved->from);
    sgd_state_free(&saved->state);
    json_decref(saved->record);
    saved->record = NULL;
}

bool train_saved_agree(const train_saved *saved, const cli_command *self, const cluster *ranks)
{
    static const char *const may_differ[] = {"json",    "quiet", "model", "isa",
                                             "threads", "data",  "mmap",  NULL};
    char text[DIGEST_TEXT] = "", of_data[DIGEST_TEXT] = "";
    if (ranks->size == 1)
        return true;
    const dataset *data = &saved->task->data;
    const samples *const parts[] = {&data->train, &data->validation, &data->test};
    json_t *words = arguments_to_json(self, saved->config, &train_defaults, may_differ);
    char *line = json_dumps(words, JSON_COMPACT);
    const size_t at[2] = {saved->state.epoch, saved->state.step};
    sha256 all = sha256_begin();
    sha256_add(&all, downhill_version(), strlen(downhill_version()));
    sha256_add(&all, line != NULL ? line : "", line != NULL ? strlen(line) : 0);
    sha256_add(&all, at, sizeof at);
    /* The workers of all ranks divide a minibatch together. */
    const size_t workers = saved->config->task.reproducible ? saved->config->task.threads : 0;
    sha256_add(&all, &workers, sizeof workers);
    const char *digest = json_string_value(json_object_get(saved->from.record, "model_digest"));
    sha256_add(&all, digest != NULL ? digest : "", digest != NULL ? strlen(digest) : 0);
    for (int i = 0; i < 3; i++)
        if (parts[i]->n > 0 && samples_fingerprint(parts[i], of_data))
            sha256_add(&all, of_data, sizeof of_data);
    (void)sha256_end(&all, text); /* on failure the text stays "", which no other rank has */
    free(line);
    json_decref(words);
    return cluster_agree(ranks, text, sizeof text);
}

const sgd_state *train_saved_state(const train_saved *saved)
{
    return saved->resumes ? &saved->state : NULL;
}

/* ---- writing ---- */

static json_t *dated(const train_saved *saved, const train_run *run)
{
    char date[32] = "";
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_t *record = json_copy(saved->record);
    output_set(record, "date", json_string(date));
    output_set(record, "isa", json_string(run->isa));
    output_set(record, "threads", json_integer((json_int_t)saved->config->task.threads));
    output_set(record, "ranks", json_integer((json_int_t)ranks_of(saved)));
    return record;
}

int train_saved_checkpoint(train_saved *saved, const train_run *run, const sgd_state *state)
{
    json_t *record = dated(saved, run);
    const int code =
        checkpoint_write(saved->config->checkpoint, &saved->task->problem, state, record);
    saved->has_checkpoint = saved->has_checkpoint || code == EXIT_OK;
    json_decref(record);
    return code;
}

int train_saved_model(train_saved *saved, const train_run *run)
{
    const bool sgd = saved->config->method == TRAIN_SGD;
    json_t *record = dated(saved, run);
    output_set(record, "training", train_run_to_json(run, saved->config, &saved->task->data));
    const model_file m = {.type = saved->task->features.type,
                          .bytes = saved->task->data.stored[0].u8 != NULL,
                          .norm = saved->task->features.norm,
                          .weights = sgd ? *run->sgd.weights : run->result.weights,
                          .record = record};
    const int code = model_file_write(saved->config->model, &m, &saved->task->data);
    json_decref(record);
    return code;
}

bool train_saved_has_checkpoint(const train_saved *saved)
{
    return saved->has_checkpoint;
}
