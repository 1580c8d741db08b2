/* SPDX-License-Identifier: MIT
 *
 * downhill train: trains a linear classifier, with one or several ISA levels. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/real.h"
#include "base/warnings.h"
#include "interrupt.h"
#include "train/lbfgs_method.h"
#include "train_results.h"
#include "train_saved.h"
#include "train_verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct session {
    train_config *config;
    task task;
    train_run runs[LEVELS_MAX];
    size_t n_runs, done;
    train_saved saved; /* models and checkpoints: the one resumed from, and those to write */
    cluster cluster;
    bool failed; /* at least one run failed */
    bool agreed; /* all ranks know the outcome */
    int stopped; /* the signal that stopped any of the ranks, or 0 */
    char remedy[512];
    bool print;
};

/* Fills in a run for each level to train with. Returns an exit code. */
static int choose_levels(struct session *s)
{
    const task_config *config = &s->config->task;
    const enum element element = task_element(config);
    const downhill_kernels *tables[LEVELS_MAX];
    size_t count = 1;
    if (levels_are_several(config->isa))
        count = levels_to_run(config->isa, tables);
    else if (!task_choose_level("train", config->isa, element, &tables[0]))
        count = 0;
    for (size_t i = 0; i < count; i++)
        if (!levels_repeat(tables, i, element))
            s->runs[s->n_runs++] =
                (train_run){.kernels = tables[i], .isa = downhill_kernels_name(tables[i])};
    return s->n_runs > 0 ? EXIT_OK : EXIT_ISA;
}

static void print_epoch(const sgd_epoch *e, size_t number, void *context)
{
    if (!((const struct session *)context)->print)
        return;
    char loss[REAL_FIXED_TEXT];
    printf("epoch %3zu  loss %s  ", number, real_fixed(e->train_loss, 4, loss));
    if (!isnan(e->validation_accuracy))
        printf("validation accuracy %.4f  ", e->validation_accuracy);
    printf("test accuracy %.4f  %.4f s  %.0f samples/s\n", e->test_accuracy, e->seconds,
           e->samples_per_s);
    (void)flush_stdout();
}

static void print_point(const method_point *p, void *context)
{
    if (!((const struct session *)context)->print)
        return;
    char loss[REAL_FIXED_TEXT];
    printf("%6zu  loss %s  ", p->number, real_fixed(p->loss, 6, loss));
    if (!isnan(p->test_accuracy))
        printf("test accuracy %.4f  ", p->test_accuracy);
    printf("%.3f s\n", p->seconds);
    (void)flush_stdout();
}

/* Sets the remedy that is printed if another rank is lost; needs a checkpoint. */
static void set_remedy(struct session *s)
{
    snprintf(s->remedy, sizeof s->remedy, "`downhill train --resume %s` continues the training",
             s->config->checkpoint);
    s->cluster.remedy = s->remedy;
}

static int checkpoint(const sgd_state *state, void *context)
{
    struct session *s = context;
    int code = EXIT_OK;
    if (s->cluster.rank == 0)
        code = train_saved_checkpoint(&s->saved, &s->runs[s->done - 1], state);
    code = cluster_largest(&s->cluster, code);
    if (code == EXIT_OK)
        set_remedy(s);
    return code;
}

static int train_by_sgd(struct session *s, train_run *run)
{
    const sgd_options sgd = train_sgd_options(s->config);
    const sgd_events events = {print_epoch, s->config->checkpoint != NULL ? checkpoint : NULL, s};
    const int code =
        sgd_train(&s->task.problem, &sgd, train_saved_state(&s->saved), &events, &run->sgd);
    if (code == EXIT_CHECK && s->cluster.rank == 0 && train_saved_has_checkpoint(&s->saved))
        error_line("train: the last good checkpoint is in %s", s->config->checkpoint);
    return code;
}

static int train_by_method(struct session *s, train_run *run)
{
    const problem *p = &s->task.problem;
    const method_events events = {print_point, s};
    const search_options search = train_search_options(s->config);
    const numerical_options numerical = train_numerical_options(s->config);
    const lbfgs_options lbfgs = {s->config->iterations, (double)s->config->tolerance};
    switch ((train_method)s->config->method) {
    case TRAIN_SGD:
        return train_by_sgd(s, run);
    case TRAIN_RANDOM_SEARCH:
        return random_search(p, &search, &events, &run->result);
    case TRAIN_LOCAL_SEARCH:
        return local_search(p, &search, &events, &run->result);
    case TRAIN_NUMERICAL:
        return numerical_train(p, &numerical, &events, &run->result, &run->cost);
    case TRAIN_LBFGS:
        break;
    }
    return lbfgs_train(p, &lbfgs, &events, &run->result);
}

/* Warns if --reproducible promises nothing at this level. */
static void check_reproducible(const struct session *s, const train_run *run)
{
    const task_config *config = &s->config->task;
    if (config->reproducible && config->dtype == FEATURES_F32 && !run->kernels->fixed_order_f32)
        warnings_add(
            s->task.warnings,
            "--reproducible: %s has no fixed order of sums: the model may be another one with "
            "other threads, processes or levels",
            run->isa);
}

static int train_once(struct session *s)
{
    train_run *run = &s->runs[s->done++];
    s->task.problem.kernels = run->kernels;
    if (s->print) {
        if (s->n_runs > 1)
            putchar('\n');
        train_print_head(s->config, run);
    }
    check_reproducible(s, run);
    const task_start start = task_start_now(&s->task);
    int code = train_by_method(s, run);
    if (code == EXIT_OK && !run->sgd.interrupted && !run->result.interrupted)
        code = train_judge(s->config, &s->task, run);
    if (code != EXIT_OK)
        return code;
    if (s->print)
        train_print_end(s->config, run);
    char what[64];
    snprintf(what, sizeof what, "training with %s", run->isa);
    task_warn_of_wait(&s->task, what, &start);
    return EXIT_OK;
}

static int write_results(struct session *s, size_t complete)
{
    json_t *training = json_array();
    for (size_t i = 0; i < complete; i++)
        json_array_append_new(training, train_run_to_json(&s->runs[i], s->config, &s->task.data));
    return task_write(&s->task, "training", training);
}

static void print_files(const struct session *s)
{
    if (s->config->model != NULL && s->stopped == 0 && !s->failed)
        printf("model in %s\n", s->config->model);
    if (train_saved_has_checkpoint(&s->saved))
        printf("checkpoint in %s\n", s->config->checkpoint);
}

/* Returns whether a signal stopped the last run, or before the next. Runs that are complete stay
 * valid. */
static bool interrupted(const struct session *s)
{
    const train_run *run = &s->runs[s->done - 1];
    return run->sgd.interrupted || run->result.interrupted || s->done < s->n_runs;
}

static int train_all(struct session *s)
{
    const dataset *data = &s->task.data;
    if (s->print) {
        printf("%s: %zu training and %zu test samples (%s), %zu features, %zu classes\n",
               data->name, data->train.n, data->test.n, data->test_note, data->d, data->c);
        if (data->validation.n > 0)
            printf("%zu samples held out for validation\n", data->validation.n);
    }
    if (s->cluster.rank == 0)
        train_warn_before(s->config, &s->task);
    interrupt_catch();
    int code = EXIT_OK;
    while (s->done < s->n_runs && code == EXIT_OK && s->stopped == 0) {
        code = train_once(s);
        /* A failed run is a result too, and the other levels may still succeed. */
        s->failed = s->failed || code == EXIT_CHECK;
        code = code == EXIT_CHECK ? EXIT_OK : code;
        s->stopped = cluster_largest(&s->cluster, interrupted(s) ? interrupt_signal : 0);
    }
    /* An error in one run must not lose the results of the runs before it. */
    size_t complete = code == EXIT_OK ? s->done : s->done - 1;
    if (s->stopped != 0)
        warnings_add(s->task.warnings, "interrupted: training is incomplete%s; %s",
                     s->config->model != NULL ? ", and no model was written" : "",
                     s->config->checkpoint != NULL ? "--resume continues it" : "run it again");
    if (s->print && complete > 1) {
        train_print_comparison(s->runs, complete, s->config, data);
        train_print_digests(s->runs, complete, s->config);
    }
    int written = EXIT_OK;
    if (s->cluster.rank > 0)
        complete = 0;
    if (code == EXIT_OK && s->stopped == 0 && !s->failed && s->config->model != NULL &&
        s->cluster.rank == 0)
        written = train_saved_model(&s->saved, &s->runs[0]);
    if (code == EXIT_OK && written == EXIT_OK && s->print)
        print_files(s);
    if (written == EXIT_OK && complete > 0)
        written = write_results(s, complete);
    if (code == EXIT_OK)
        code = written;
    if (code == EXIT_OK && s->stopped != 0)
        return 128 + s->stopped;
    return code == EXIT_OK && s->failed ? EXIT_CHECK : code;
}

/* Prepares everything for the first step. Returns an exit code. */
static int prepare(const cli_command *self, struct session *s)
{
    const train_config *config = s->config;
    dataset *data = &s->task.data;
    int code = EXIT_OK;
    if (config->model != NULL || config->checkpoint != NULL)
        code = train_saved_note_data(&s->saved, config, data);
    if (code == EXIT_OK)
        code = task_settle_data(&s->task);
    if (code == EXIT_OK && config->validation > 0.0)
        code = dataset_hold_out_validation(data, config->validation, config->task.seed);
    if (code == EXIT_OK && config->task.dtype == FEATURES_U8 && !features_fit_u8(data))
        code = EXIT_USAGE;
    if (code == EXIT_OK)
        code = choose_levels(s);
    if (code == EXIT_OK)
        code = train_saved_open(&s->saved, self, config, &s->task, &s->runs[0]);
    return code == EXIT_OK ? task_open_features(&s->task) : code;
}

static int open_and_train(const cli_command *self, struct session *s)
{
    int code = task_open_data("train", &s->config->task, &s->cluster, &s->task);
    const bool opened = code == EXIT_OK;
    if (!opened && s->saved.resumes)
        error_line(
            "train: --resume: the checkpoint needs this data set; if its files were moved, give "
            "--data as well");
    if (opened)
        code = prepare(self, s);
    /* No rank starts unless all can: the others would wait for the missing one. */
    s->agreed = true;
    code = cluster_largest(&s->cluster, code);
    if (code == EXIT_OK && s->print)
        train_saved_print_resumed(&s->saved, self);
    if (code == EXIT_OK && !train_saved_agree(&s->saved, self, &s->cluster)) {
        if (s->cluster.rank == 0)
            error_line(
                "train: the ranks differ in data, options (with --reproducible also --threads) or "
                "checkpoint; give all ranks the same");
        code = EXIT_DATA;
    }
    if (code == EXIT_OK)
        code = train_check_classes(&s->task);
    if (code == EXIT_OK) {
        code = train_all(s);
        s->agreed = code == EXIT_OK || code == EXIT_CHECK || code > 128;
    }
    for (size_t i = 0; i < s->n_runs; i++) {
        sgd_free(&s->runs[i].sgd);
        method_free(&s->runs[i].result);
    }
    train_saved_close(&s->saved);
    if (opened)
        task_close(&s->task);
    return code;
}

/* Joins the other processes if the program was started under mpirun. */
static int join(struct session *s)
{
    s->cluster = (cluster){.size = 1, .local_size = 1, .stop = &interrupt_signal};
    if (!cluster_is_wanted())
        return CLI_CONTINUE;
    if (!cluster_join(&s->cluster))
        return EXIT_ENVIRONMENT;
    s->agreed = true;
    error_as_rank(s->cluster.rank, false); /* equal arguments cause equal errors on all ranks */
    return CLI_CONTINUE;
}

static int settle_own(const cli_command *self, struct session *s, int argc, char **argv)
{
    train_config *config = s->config;
    int operand, code = cli_parse(self, config, argc, argv, &operand);
    if (code == CLI_CONTINUE && config->resume != NULL)
        code = train_saved_resume(&s->saved, self, argc, argv, config);
    if (code != CLI_CONTINUE)
        return code;
    if (s->cluster.rank > 0) { /* only rank 0 prints and writes files */
        config->task.quiet = true;
        config->task.json = config->model = NULL;
    }
    code = train_settle(self, config, s->cluster.rank == 0);
    if (code == CLI_CONTINUE && s->cluster.size > 1 && config->method != TRAIN_SGD) {
        error_line("train: --method %s: runs in one process only; start it without mpirun",
                   train_method_words[config->method]);
        code = EXIT_USAGE;
    }
    const downhill_kernels *tables[LEVELS_MAX];
    if (code == CLI_CONTINUE && config->task.isa != NULL &&
        levels_to_run(config->task.isa, tables) == 0)
        code = EXIT_ISA; /* reported before the data are read */
    return code;
}

/* Parses the options. Unless all ranks succeed, none continues. */
static int settle(const cli_command *self, struct session *s, int argc, char **argv)
{
    const int own = settle_own(self, s, argc, argv);
    int first = own;
    cluster_share(&s->cluster, &first, sizeof first);
    error_as_rank(s->cluster.rank, true);
    if (own != CLI_CONTINUE && own != first)
        error_line(
            "train: refused on this rank with exit code %d, but not on rank 0; run the command "
            "here without mpirun to see why",
            own);
    const int worst = cluster_largest(&s->cluster, own);
    return own != CLI_CONTINUE ? own : worst;
}

static int run(const cli_command *self, int argc, char **argv)
{
    train_config config = train_defaults;
    struct session s = {.config = &config};
    int code = join(&s);
    if (code != CLI_CONTINUE)
        return code;
    code = settle(self, &s, argc, argv);
    s.print = task_prints(&config.task);
    if (config.resume != NULL && config.checkpoint != NULL)
        set_remedy(&s);
    if (code == CLI_CONTINUE)
        code = open_and_train(self, &s);
    else
        train_saved_close(&s.saved);
    cluster_leave(&s.cluster, code, s.agreed);
    return code;
}

const cli_command cli_train = {.name = "train",
                               .operands = "",
                               .summary = "Train a linear classifier and show where the time goes.",
                               .groups = {&train_method_options, &task_data_options,
                                          &task_several_levels, &task_run_options,
                                          &task_loss_options},
                               .given = offsetof(train_config, given),
                               .run = run};
