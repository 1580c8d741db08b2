/* SPDX-License-Identifier: MIT
 *
 * downhill predict: what a model says of samples. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/warnings.h"
#include "data/fingerprint.h"
#include "interrupt.h"
#include "origin.h"
#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct predict_config {
    task_config task;
    const char *model, *csv;
    int set;
    bool scores;
} predict_config;

#define AT(member) .offset = offsetof(predict_config, member)

static const cli_option options[] = {
    {.name = "model",
     .heading = "Prediction",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(model),
     .help = "the model, as downhill train --model wrote it; or a checkpoint, whose weights are "
             "those of its last step"},
    {.name = "set",
     .kind = OPTION_CHOICE,
     .metavar = "SET",
     AT(set),
     .choices = "test|train|all",
     .help = "the samples of --data: those for testing (default: of a set without test files "
             "those that training held out), for training, or all"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(csv),
     .help = "write to FILE the number of each sample in its file, from 0, whether it is a test "
             "sample (1 or 0), its label and prediction as the numbers of classes"},
    {.name = "scores", .kind = OPTION_FLAG, AT(scores), .help = "and the score of each class"},
};

/* In the order of the words of --set, of which "all" stands for both. */
enum { SET_TEST, SET_TRAIN, SET_ALL };
static const char *const set_words[] = {"test", "train", "all"};

enum { BLOCK_ROWS = 8192 }; /* between two looks at Ctrl-C */

struct session {
    const predict_config *config;
    task task;
    model_file from;
    size_t n, c;        /* samples, classes */
    double *scores;     /* of a block, or of all with --scores */
    int32_t *predicted; /* of all */
    size_t *confusion;  /* c × c: label, prediction */
    size_t right;
};

static const samples *samples_of(const struct session *s, int set)
{
    return set == SET_TEST ? &s->task.data.test : &s->task.data.train;
}

static bool is_wanted(const struct session *s, int set)
{
    return s->config->set == set || s->config->set == SET_ALL;
}

static bool session_open(struct session *s)
{
    s->c = s->from.weights.c;
    for (int set = 0; set < SET_ALL; set++)
        s->n += is_wanted(s, set) ? samples_of(s, set)->n : 0;
    s->scores = memory_new((s->config->scores ? s->n : BLOCK_ROWS) * s->c, sizeof *s->scores);
    s->predicted = memory_new(s->n, sizeof *s->predicted);
    s->confusion = memory_new(s->c * s->c, sizeof *s->confusion);
    return s->scores != NULL && s->predicted != NULL && s->confusion != NULL;
}

static void session_close(struct session *s)
{
    free(s->scores);
    free(s->predicted);
    free(s->confusion);
    model_file_close(&s->from);
    task_close(&s->task);
}

/* Of one set, behind what is `done` already. */
static downhill_status predict_set(struct session *s, const samples *of, size_t done, evaluator *e,
                                   progress *bar)
{
    downhill_status status = DOWNHILL_OK;
    for (size_t first = 0, n; first < of->n && status == DOWNHILL_OK && interrupt_signal == 0;
         first += n, done += n) {
        const size_t left = of->n - first;
        n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        double *scores = s->scores + (s->config->scores ? done * s->c : 0);
        status = evaluator_scores(e, &s->from.weights, of, first, n, scores);
        for (size_t i = 0; i < n && status == DOWNHILL_OK; i++) {
            const int32_t label = samples_label(of, first + i),
                          found = (int32_t)evaluate_highest(scores + i * s->c, s->c);
            s->predicted[done + i] = found;
            s->confusion[(size_t)label * s->c + (size_t)found]++;
            s->right += label == found;
        }
        progress_show(bar, done + n, s->n, (double)(done + n) / (double)s->n, "samples");
    }
    return status;
}

static downhill_status predict_all(struct session *s)
{
    const downhill_kernels *kernels = s->task.problem.kernels;
    evaluator *e = evaluator_open(&s->task.features, kernels, s->task.problem.loss, s->c, 1,
                                  s->config->task.threads);
    progress bar = progress_open("predict", s->task.problem.progress);
    downhill_status status = e != NULL ? DOWNHILL_OK : DOWNHILL_ERR_WORKSPACE;
    size_t done = 0;
    for (int set = 0; set < SET_ALL && status == DOWNHILL_OK; set++)
        if (is_wanted(s, set)) {
            status = predict_set(s, samples_of(s, set), done, e, &bar);
            done += samples_of(s, set)->n;
        }
    progress_close(&bar);
    evaluator_close(e);
    return status;
}

/* ---- what it says ---- */

static double share(size_t part, size_t all)
{
    return all > 0 ? (double)part / (double)all : (double)NAN;
}

static void print_share(size_t part, size_t all)
{
    if (all > 0)
        printf(" %9.4f", share(part, all));
    else
        printf(" %9s", "-");
}

/* Samples with this label, and those that were given it. */
static void count_class(const struct session *s, size_t j, size_t *labelled, size_t *predicted)
{
    *labelled = *predicted = 0;
    for (size_t l = 0; l < s->c; l++) {
        *labelled += s->confusion[j * s->c + l];
        *predicted += s->confusion[l * s->c + j];
    }
}

/* A matrix wider than a page is nothing to look at: --json has it. */
static void print_all(const struct session *s)
{
    enum { WIDE = 20 };
    const int set = s->config->set;
    printf("%s, %zu %s samples", s->task.data.name, s->n,
           set == SET_ALL ? "test and training" : set_words[set]);
    if (set == SET_TEST)
        printf(" (%s)", s->task.data.test_note);
    printf(": accuracy %.4f, %zu of %zu right\n", share(s->right, s->n), s->right, s->n);
    if (s->c <= WIDE)
        puts("confusion matrix: a row for each label, a column for each prediction");
    for (size_t j = 0; j < s->c && s->c <= WIDE; j++) {
        printf("%-12.12s", s->from.class_names[j]);
        for (size_t l = 0; l < s->c; l++)
            printf(" %6zu", s->confusion[j * s->c + l]);
        putchar('\n');
    }
    printf("%-12s %9s %9s %9s\n", "class", "samples", "precision", "recall");
    for (size_t j = 0; j < s->c; j++) {
        size_t labelled, predicted;
        count_class(s, j, &labelled, &predicted);
        const size_t right = s->confusion[j * s->c + j];
        printf("%-12.12s %9zu", s->from.class_names[j], labelled);
        print_share(right, predicted);
        print_share(right, labelled);
        putchar('\n');
    }
}

static json_t *results(const struct session *s)
{
    json_t *o = json_object(), *classes = json_array(), *confusion = json_array();
    for (size_t j = 0; j < s->c; j++) {
        json_t *row = json_array(), *of_class = json_object();
        size_t labelled, predicted;
        count_class(s, j, &labelled, &predicted);
        const size_t right = s->confusion[j * s->c + j];
        for (size_t l = 0; l < s->c; l++)
            json_array_append_new(row, json_integer((json_int_t)s->confusion[j * s->c + l]));
        json_array_append_new(confusion, row);
        output_set(of_class, "name", json_string(s->from.class_names[j]));
        output_set(of_class, "samples", json_integer((json_int_t)labelled));
        output_set(of_class, "precision", output_real(share(right, predicted)));
        output_set(of_class, "recall", output_real(share(right, labelled)));
        json_array_append_new(classes, of_class);
    }
    output_set(o, "model", json_string(s->config->model));
    output_set(o, "model_digest", json_incref(json_object_get(s->from.record, "model_digest")));
    output_set(o, "isa", json_string(downhill_kernels_name(s->task.problem.kernels)));
    output_set(o, "dataset", json_string(s->task.data.name));
    output_set(o, "set", json_string(set_words[s->config->set]));
    output_set(o, "samples", json_integer((json_int_t)s->n));
    output_set(o, "accuracy", output_real(share(s->right, s->n)));
    output_set(o, "classes", classes);
    output_set(o, "confusion", confusion);
    return o;
}

/* Of a set that others were drawn from the number in the file is that of the row; rows of several files may have gaps
 * between them, but from these nothing is held out. */
static size_t number_of(const struct session *s, const samples *of, size_t i)
{
    return s->task.data.train.x == s->task.data.test.x ? of->rows[i] : i;
}

static bool write_csv(FILE *file, const void *context)
{
    const struct session *s = context;
    fputs("sample,test,label,prediction", file);
    for (size_t j = 0; j < s->c && s->config->scores; j++)
        fprintf(file, ",score_%zu", j);
    fputc('\n', file);
    size_t at = 0;
    for (int set = 0; set < SET_ALL; set++) {
        const samples *of = samples_of(s, set);
        for (size_t i = 0; is_wanted(s, set) && i < of->n && !ferror(file); i++, at++) {
            fprintf(file, "%zu,%d,%d,%d", number_of(s, of, i), set == SET_TEST,
                    (int)samples_label(of, i), (int)s->predicted[at]);
            for (size_t j = 0; j < s->c && s->config->scores; j++)
                fprintf(file, ",%.9g", s->scores[at * s->c + j]);
            fputc('\n', file);
        }
    }
    return !ferror(file);
}

/* What is held out of a set is always the same, but of another set it is something else. */
static void warn_of_other_data(const struct session *s)
{
    char digest[DIGEST_TEXT];
    const dataset *data = &s->task.data;
    const char *trained_on =
        json_string_value(json_object_get(json_object_get(s->from.record, "data"), "digest"));
    if (data->train.x == data->test.x && s->config->set == SET_TEST && trained_on != NULL &&
        samples_fingerprint(&data->train, digest) && strcmp(digest, trained_on) != 0)
        warnings_add(s->task.warnings,
                     "%s was not trained on these samples without those that are held out: some "
                     "of the test samples may have been trained on; if all are new, take --set all",
                     s->config->model);
}

/* ---- the command ---- */

static int predict(struct session *s)
{
    const predict_config *config = s->config;
    int code = origin_open_features(&s->task, config->model, &s->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level("predict", config->task.isa, task_element(&config->task),
                           &s->task.problem.kernels))
        return EXIT_ISA;
    interrupt_catch();
    const bool opened = session_open(s);
    if (opened)
        warn_of_other_data(s);
    const downhill_status status = opened ? predict_all(s) : DOWNHILL_ERR_WORKSPACE;
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    if (interrupt_signal != 0)
        return 128 + interrupt_signal;
    if (task_prints(&config->task))
        print_all(s);
    if (config->csv != NULL)
        code = output_file(config->csv, OUTPUT_PREDICTION_CSV, write_csv, s);
    const int written = task_write(&s->task, "prediction", results(s));
    return code != EXIT_OK ? code : written;
}

static int run(const cli_command *self, int argc, char **argv)
{
    predict_config config = {.task = TASK_DEFAULTS};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_GO_ON)
        return code;
    struct session s = {.config = &config};
    if (config.model == NULL || (config.scores && config.csv == NULL)) {
        error_line("predict: %s", config.model == NULL ? "no model; give --model FILE"
                                                       : "--scores: where to? give --csv FILE");
        return EXIT_USAGE;
    }
    const task_file files[] = {{"model", config.model, OUTPUT_NONE},
                               {"csv", config.csv, OUTPUT_PREDICTION_CSV},
                               {"json", config.task.json, OUTPUT_PREDICTION}};
    if ((code = task_check_files("predict", config.task.data, files, 3)) != CLI_GO_ON)
        return code;
    if ((code = origin_read("predict", config.model, &config.task, &s.from)) != CLI_GO_ON)
        return code;
    config.task.use.whole = config.set == SET_ALL;
    code = task_settle("predict", &config.task, OUTPUT_PREDICTION);
    if (code == CLI_GO_ON &&
        (code = task_open_data("predict", &config.task, NULL, &s.task)) == EXIT_OK) {
        code = predict(&s);
        session_close(&s);
    } else {
        model_file_close(&s.from);
    }
    return code;
}

const cli_command cli_predict = {.name = "predict",
                                 .operands = "",
                                 .summary = "Score samples with a model, and say how right it is.",
                                 .groups = {&task_data_options},
                                 .options = options,
                                 .n_options = sizeof options / sizeof options[0],
                                 .run = run};
