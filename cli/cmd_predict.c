/* SPDX-License-Identifier: MIT
 *
 * downhill predict: classifies samples with a model. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/warnings.h"
#include "data/fingerprint.h"
#include "interrupt.h"
#include "origin.h"
#include "predict_results.h"
#include "train/evaluate.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) .offset = offsetof(predict_config, member)

static const cli_option options[] = {
    {.name = "model",
     .heading = "Prediction",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(model),
     .help = "the model, as downhill train --model wrote it; or a checkpoint, whose weights are "
             "those of its last step"},
    {.name = "set",
     .kind = OPTION_CHOICE,
     .metavar = "SET",
     AT(set),
     .choices = "test|train|all",
     .help = "which samples of --data to score. Default: the test files, if --data names any; "
             "otherwise the held-out samples (test), if the model was trained on the others; "
             "otherwise all, in the order of the file"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(csv),
     .help = "write a line per sample to FILE, in the order of the data: its number in its file, "
             "from 0; whether it is a test sample (1 or 0; always 0 for new data); label and "
             "prediction as class numbers, then as class names. Missing labels are empty"},
    {.name = "scores",
     .kind = OPTION_FLAG,
     AT(scores),
     .help = "add the score of each class to --csv"},
};

enum { BLOCK_ROWS = 8192 }; /* rows between two checks for an interruption */

/* ---- which samples ---- */

/* How the samples of one file relate to those that the model was trained on, validation samples
 * included. Digests tell only whether two sets are equal; different sets may share samples. */
enum relation { UNKNOWN, OTHER, TRAINED_ON_REST, TRAINED_ON_ALL };

/* Sets *same to whether the samples have this digest. Returns an exit code. */
static int digest_is(const samples *of, const char *digest, bool *same)
{
    char text[DIGEST_TEXT];
    if (!samples_fingerprint(of, text))
        return problem_digest_failed();
    *same = strcmp(text, digest) == 0;
    return EXIT_OK;
}

/* Compares the data of the model first with the samples that are not held out, then with all
 * samples. Returns an exit code. */
static int find_relation(const predict_session *s, enum relation *relation)
{
    const samples *train = &s->task.data.train;
    const size_t held_out = s->task.data.test.n;
    const char *trained_on =
        json_string_value(json_object_get(json_object_get(s->from.record, "data"), "digest"));
    bool same = false;
    *relation = UNKNOWN;
    if (trained_on == NULL || train->x->unlabelled) /* the digest covers the labels */
        return EXIT_OK;
    int code = held_out > 0 ? digest_is(train, trained_on, &same) : EXIT_OK;
    *relation = same ? TRAINED_ON_REST : OTHER;
    if (code != EXIT_OK || same)
        return code;
    samples all;
    code = samples_range(train->x, 0, train->n + held_out, &all)
               ? digest_is(&all, trained_on, &same)
               : problem_failed(DOWNHILL_ERR_WORKSPACE);
    samples_free(&all);
    if (same)
        *relation = TRAINED_ON_ALL;
    return code;
}

/* Returns whether the test samples, if any, were drawn from the file of the training samples. */
static bool are_held_out(const dataset *data)
{
    return data->test.n == 0 || data->train.x == data->test.x;
}

/* Chooses the samples to score. If the data are not those that the model was trained on, their
 * held-out samples would be an arbitrary part, so all are scored. Returns an exit code. */
static int choose_set(predict_session *s)
{
    const dataset *data = &s->task.data;
    const bool held_out = are_held_out(data), given = s->config->set != TASK_AUTOMATIC;
    static const char *const why[] = {
        [UNKNOWN] = "",
        [OTHER] = "all, since these are not exactly the samples that the model was trained on",
        [TRAINED_ON_REST] = "held out when the model was trained on the others",
        [TRAINED_ON_ALL] = "all, and the model was trained on exactly these",
    };
    enum relation relation;
    s->why = "";
    s->set = given ? (enum predict_set)s->config->set : PREDICT_TEST;
    if (!held_out)
        return EXIT_OK;
    const int code = find_relation(s, &relation);
    if (code != EXIT_OK)
        return code;
    s->trained_here = relation == TRAINED_ON_REST;
    if (!given) {
        s->set = relation == TRAINED_ON_REST ? PREDICT_TEST : PREDICT_ALL;
        s->why = why[relation];
    } else if (relation == TRAINED_ON_REST || relation == UNKNOWN) {
        return EXIT_OK;
    } else if (s->set == PREDICT_TRAIN) {
        warnings_add(s->task.warnings,
                     "--set train leaves out a random sixth of this data, which is not the test "
                     "set that %s held out; leave --set out to score all samples",
                     s->config->model);
    } else if (s->set == PREDICT_TEST) {
        warnings_add(s->task.warnings,
                     "--set test draws a random sixth of this data, which is not the test set that "
                     "%s held out; leave --set out to score all samples",
                     s->config->model);
    }
    return EXIT_OK;
}

/* Merges the training and test samples of one file, in the order of the file. Returns false if out
 * of memory. */
static bool merge(predict_session *s, predict_part *part)
{
    const samples *train = &s->task.data.train, *test = &s->task.data.test;
    const size_t n = train->n + test->n;
    part->of = (samples){.x = train->x, .rows = memory_new(n, sizeof *part->of.rows), .n = n};
    s->held_out = calloc(train->x->rows, sizeof *s->held_out);
    if (part->of.rows == NULL || s->held_out == NULL)
        return false;
    size_t i = 0, j = 0;
    while (i + j < n) {
        const bool take_test = j < test->n && (i == train->n || test->rows[j] < train->rows[i]);
        const size_t row = take_test ? test->rows[j] : train->rows[i];
        part->of.rows[i + j] = row;
        s->held_out[row] = take_test && s->trained_here;
        i += !take_test;
        j += take_test;
    }
    part->held_out = s->held_out;
    return true;
}

static bool copy_samples(const samples *from, samples *to)
{
    *to = (samples){.x = from->x, .rows = memory_new(from->n, sizeof *to->rows), .n = from->n};
    if (to->rows != NULL)
        memcpy(to->rows, from->rows, from->n * sizeof *to->rows);
    return to->rows != NULL;
}

/* Sets the parts to score. Returns false if out of memory. */
static bool take_parts(predict_session *s)
{
    const dataset *data = &s->task.data;
    const bool one_file = are_held_out(data);
    if (one_file && s->set == PREDICT_ALL) {
        s->n_parts = 1;
        s->parts[0].numbered_by_row = data->test.n > 0;
        return merge(s, &s->parts[0]);
    }
    for (int test = 0; test < 2; test++) {
        const samples *of = test ? &data->test : &data->train;
        if (s->set != PREDICT_ALL && (s->set == PREDICT_TEST) != test)
            continue;
        predict_part *part = &s->parts[s->n_parts++];
        *part = (predict_part){.numbered_by_row = one_file && data->test.n > 0, .all_test = test};
        if (!copy_samples(of, &part->of))
            return false;
    }
    return true;
}

static bool session_open(predict_session *s)
{
    s->c = s->from.weights.c;
    if (!take_parts(s))
        return false;
    s->labelled = true;
    for (size_t p = 0; p < s->n_parts; p++) {
        s->n += s->parts[p].of.n;
        s->labelled = s->labelled && !s->parts[p].of.x->unlabelled;
    }
    s->scores = memory_new((s->config->scores ? s->n : BLOCK_ROWS) * s->c, sizeof *s->scores);
    s->predicted = memory_new(s->n, sizeof *s->predicted);
    s->counts = memory_new(s->c, sizeof *s->counts);
    s->confusion = memory_new(s->c * s->c, sizeof *s->confusion);
    return s->scores != NULL && s->predicted != NULL && s->counts != NULL && s->confusion != NULL;
}

static void session_close(predict_session *s)
{
    for (size_t p = 0; p < s->n_parts; p++)
        free(s->parts[p].of.rows);
    free(s->held_out);
    free(s->scores);
    free(s->predicted);
    free(s->counts);
    free(s->confusion);
    model_file_close(&s->from);
    task_close(&s->task);
}

/* ---- scores ---- */

/* Scores the samples of one part; `done` samples were scored before. */
static downhill_status predict_part_of(predict_session *s, const samples *of, size_t done,
                                       evaluator *e, progress *bar)
{
    downhill_status status = DOWNHILL_OK;
    for (size_t first = 0, n; first < of->n && status == DOWNHILL_OK && interrupt_signal == 0;
         first += n, done += n) {
        const size_t left = of->n - first;
        n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        double *scores = s->scores + (s->config->scores ? done * s->c : 0);
        status = evaluator_scores(e, &s->from.weights, of, first, n, scores);
        if (interrupt_signal != 0)
            break;
        const downhill_matrix_f64 of_block = {scores, s->c, n, s->c};
        if (status == DOWNHILL_OK)
            status = downhill_predict_u8(&of_block, s->predicted + done);
        for (size_t i = 0; i < n && status == DOWNHILL_OK; i++) {
            const int32_t label = samples_label(of, first + i), found = s->predicted[done + i];
            s->counts[found]++;
            if (label == DATASET_NO_CLASS)
                continue;
            s->confusion[(size_t)label * s->c + (size_t)found]++;
            s->right += label == found;
        }
        progress_show(bar, done + n, s->n, (double)(done + n) / (double)s->n, "samples");
    }
    return status;
}

static downhill_status predict_all(predict_session *s)
{
    const downhill_kernels *kernels = s->task.problem.kernels;
    evaluator *e = evaluator_open(&s->task.features, kernels, s->task.problem.loss, s->c, 1,
                                  s->config->task.threads);
    progress bar = progress_open("predict", s->task.problem.progress);
    downhill_status status = e != NULL ? DOWNHILL_OK : DOWNHILL_ERR_WORKSPACE;
    size_t done = 0;
    if (e != NULL)
        evaluator_stops_at(e, s->task.problem.stop);
    for (size_t p = 0; p < s->n_parts && status == DOWNHILL_OK; p++) {
        status = predict_part_of(s, &s->parts[p].of, done, e, &bar);
        done += s->parts[p].of.n;
    }
    progress_close(&bar);
    evaluator_close(e);
    return status;
}

static void warn_of_one_class(const predict_session *s)
{
    for (size_t j = 0; j < s->c && s->n > 1; j++)
        if (s->counts[j] == s->n)
            warnings_add(s->task.warnings, "every sample is predicted as class '%s'",
                         s->from.class_names[j]);
}

/* ---- the command ---- */

static int predict(predict_session *s)
{
    const predict_config *config = s->config;
    int code = origin_open_features(&s->task, config->model, &s->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level("predict", config->task.isa, task_element(&config->task),
                           &s->task.problem.kernels))
        return EXIT_ISA;
    interrupt_catch();
    if ((code = choose_set(s)) != EXIT_OK)
        return code;
    const downhill_status status = session_open(s) ? predict_all(s) : DOWNHILL_ERR_WORKSPACE;
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    if (interrupt_signal != 0)
        return interrupt_end("predict");
    warn_of_one_class(s);
    if (task_prints(&config->task))
        predict_print(s);
    if (config->csv != NULL)
        code = predict_write_csv(s);
    const int written = task_write(&s->task, "prediction", predict_to_json(s));
    return code != EXIT_OK ? code : written;
}

static int run(const cli_command *self, int argc, char **argv)
{
    predict_config config = {.task = TASK_DEFAULTS, .set = TASK_AUTOMATIC};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    predict_session s = {.config = &config};
    if (config.model == NULL || (config.scores && config.csv == NULL)) {
        error_line("predict: %s", config.model == NULL ? "no model; give --model FILE"
                                                       : "--scores: needs a file; give --csv FILE");
        return EXIT_USAGE;
    }
    const task_file files[] = {{"model", config.model, OUTPUT_NONE},
                               {"csv", config.csv, OUTPUT_PREDICTION_CSV},
                               {"json", config.task.json, OUTPUT_PREDICTION}};
    if ((code = task_check_files("predict", config.task.data, files, 3)) != CLI_CONTINUE ||
        (code = task_check_level("predict", &config.task)) != CLI_CONTINUE)
        return code;
    if ((code = origin_read("predict", config.model, &config.task, &s.from)) != CLI_CONTINUE)
        return code;
    config.task.use.whole = config.set == PREDICT_ALL || config.set == TASK_AUTOMATIC;
    config.task.use.labels_optional = true;
    code = task_settle("predict", &config.task, OUTPUT_PREDICTION);
    if (code == CLI_CONTINUE &&
        (code = task_open_data("predict", &config.task, NULL, &s.task)) == EXIT_OK) {
        code = predict(&s);
        session_close(&s);
    } else {
        model_file_close(&s.from);
    }
    return code;
}

const cli_command cli_predict = {
    .name = "predict",
    .operands = "",
    .summary = "Score samples with a model and show its accuracy; labels are optional.",
    .groups = {&task_data_options, &task_one_level, &task_run_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
