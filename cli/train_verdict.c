/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "train_verdict.h"

#include "base/error.h"
#include "base/real.h"
#include "base/warnings.h"
#include "train/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Factor that allows for rounding in f32. */
#define LOSS_SLACK 1.001

/* When training converges, the loss of the model is close to the mean of its epoch, and that of
 * each epoch close to the best. Above these ratios the learning rate is doubted, if the difference
 * is also at least SHARE_OF_ZERO of the loss of zero weights. */
#define MODEL_ABOVE_EPOCH 1.2
#define EPOCH_ABOVE_BEST  1.05
#define SHARE_OF_ZERO     0.02

/* Cost of a sample apart from the products, in multiply-adds. */
#define SAMPLE_WORK 1000.0

/* ---- before training ---- */

static bool is_first_rank(const problem *p)
{
    return p->cluster == NULL || p->cluster->rank == 0;
}

int train_check_classes(const task *t)
{
    const samples *train = &t->data.train;
    char number[DATASET_NUMBER_TEXT];
    for (size_t i = 1; i < train->n; i++)
        if (samples_label(train, i) != samples_label(train, 0))
            return EXIT_OK;
    if (is_first_rank(&t->problem))
        error_line("train: every training sample is of class '%s'; give data with samples of at "
                   "least two classes",
                   dataset_class_name(&t->data, (size_t)samples_label(train, 0), number));
    return EXIT_DATA;
}

static double work(const train_config *config, const dataset *data)
{
    const double n = (double)data->train.n, products = (double)data->d * (double)data->c;
    const double batch = (double)(config->batch < data->train.n ? config->batch : data->train.n);
    const double weights = products + (double)data->c, steps = (double)config->iterations;
    switch ((train_method)config->method) {
    case TRAIN_SGD:
        return (double)config->epochs * n * (2.0 * products + SAMPLE_WORK);
    case TRAIN_RANDOM_SEARCH:
    case TRAIN_LOCAL_SEARCH:
        return (double)config->tries * n * (products + SAMPLE_WORK);
    case TRAIN_NUMERICAL:
        return steps * fmin((double)config->coordinates, weights) * batch * products;
    case TRAIN_LBFGS:
        break;
    }
    return steps * n * (2.0 * products + SAMPLE_WORK);
}

/* Warns if a class has no training sample: those held out may be the only ones of their class,
 * above all if the labels are not classes. */
static void warn_of_untrained_classes(const task *t)
{
    const dataset *data = &t->data;
    const samples *const parts[] = {&data->validation, &data->test, &data->train};
    bool *untrained = calloc(data->c, sizeof *untrained);
    size_t count = 0;
    if (untrained == NULL) {
        warning_line("train: out of memory: whether each class has training samples was not "
                     "checked");
        return;
    }
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < parts[p]->n; i++)
            untrained[samples_label(parts[p], i)] = parts[p] != &data->train;
    for (size_t j = 0; j < data->c; j++)
        count += untrained[j];
    free(untrained);
    if (count > 0)
        warnings_add(t->warnings,
                     "%zu of %zu classes have no training sample, so their samples cannot be "
                     "predicted; check that the labels are classes",
                     count, data->c);
}

static bool has_learning_rate(const train_config *config)
{
    return config->method == TRAIN_SGD || config->method == TRAIN_NUMERICAL;
}

void train_warn_before(const train_config *config, const task *t)
{
    warn_of_untrained_classes(t);
    const problem *p = &t->problem;
    const double mean_square = has_learning_rate(config) ? scale_mean_square(p) : 0.0;
    char remedy[SCALE_REMEDY_TEXT], lr[REAL_TEXT];
    if (isnan(mean_square))
        warning_line(
            "train: out of memory: whether the features are too large for the learning rate "
            "was not checked");
    else if (scale_is_too_large(p, mean_square, config->lr))
        warnings_add(t->warnings,
                     "the features are too large for a learning rate of %s: the norm of a sample "
                     "is about %.2g; try %s",
                     real_f32(config->lr, lr), sqrt(mean_square),
                     scale_remedy(p, config->lr, remedy));
    if (config->model == NULL && config->checkpoint == NULL && config->task.json == NULL)
        task_warn_if_long("train", work(config, &t->data), config->task.threads,
                          "--model, --json or --checkpoint to keep the model, the results or the "
                          "state of training");
    else if (config->method == TRAIN_SGD && config->model != NULL && config->checkpoint == NULL &&
             task_is_long(work(config, &t->data), config->task.threads))
        note_line("train: this will take long; --checkpoint FILE keeps what an interruption would "
                  "lose");
}

/* ---- after training ---- */

static int evaluate(const problem *p, const downhill_weights_f32 *weights, evaluation *of)
{
    evaluator *e = evaluator_open(p->features, p->kernels, p->loss, p->data->c, 1, p->threads);
    downhill_status status = DOWNHILL_ERR_WORKSPACE;
    if (e != NULL) {
        evaluator_stops_at(e, p->stop);
        status = evaluator_run(e, weights, 1, &p->data->train, of);
    }
    evaluator_close(e);
    return status == DOWNHILL_OK ? EXIT_OK : problem_failed(status);
}

/* Returns whether the method starts from random weights, so that a loss above that of zero weights
 * is no failure. */
static bool is_search(const train_config *config)
{
    return config->method == TRAIN_RANDOM_SEARCH || config->method == TRAIN_LOCAL_SEARCH;
}

static int fail(const train_config *config, const problem *p, train_run *run)
{
    char of_rate[SCALE_REMEDY_TEXT], words[REAL_FIXED_TEXT], loss[REAL_TEXT];
    const char *remedy = has_learning_rate(config) ? scale_remedy(p, config->lr, of_rate)
                         : is_search(config)       ? "a smaller --scale"
                                                   : "--normalize standardize";
    snprintf(loss, sizeof loss, "%.4g", run->end.loss);
    return problem_training_failed(
        p, train_run_failure(run, config),
        "training failed: the loss of the model is %s, above the %.4g of weights that are all 0; "
        "try %s%s",
        isfinite(run->end.loss) ? loss : real_fixed(run->end.loss, 0, words),
        problem_loss_of_zero(p), remedy, config->model != NULL ? "; no model was written" : "");
}

static void doubt_learning_rate(const train_config *config, const task *t, const train_run *run)
{
    const sgd_state *state = &run->sgd.state;
    const double slack = SHARE_OF_ZERO * problem_loss_of_zero(&t->problem);
    double best = (double)INFINITY;
    for (size_t e = 0; e < state->epoch; e++)
        best = fmin(best, state->epochs[e].train_loss);
    if (state->epoch == 0)
        return;
    const size_t kept = state->best_epoch > 0 ? state->best_epoch : state->epoch;
    const double of_epoch = state->epochs[kept - 1].train_loss,
                 last = state->epochs[state->epoch - 1].train_loss;
    char remedy[SCALE_REMEDY_TEXT];
    if (run->end.loss > fmax(MODEL_ABOVE_EPOCH * of_epoch, of_epoch + slack))
        warnings_add(t->warnings,
                     "the loss of the model is %.4g, above the mean of its epoch, %.4g: the "
                     "weights oscillate because the learning rate is too large; try %s",
                     run->end.loss, of_epoch, scale_remedy(&t->problem, config->lr, remedy));
    else if (last > fmax(EPOCH_ABOVE_BEST * best, best + slack))
        warnings_add(t->warnings,
                     "the loss of the last epoch is %.4g, above the %.4g of the best: the learning "
                     "rate may be too large; try %s",
                     last, best, scale_remedy(&t->problem, config->lr, remedy));
}

static const char *remedy_of_one_class(const train_config *config)
{
    if (config->task.normalise != NORMALISE_STANDARDISE && !config->task.map)
        return "--normalize standardize";
    switch ((train_method)config->method) {
    case TRAIN_SGD:
        return "a lower --lr or more --epochs";
    case TRAIN_RANDOM_SEARCH:
    case TRAIN_LOCAL_SEARCH:
        return "more --tries";
    case TRAIN_NUMERICAL:
        return "a lower --lr or more --iterations";
    case TRAIN_LBFGS:
        break;
    }
    return "more --iterations";
}

static void warn_after(const train_config *config, const task *t, const train_run *run)
{
    const double zero = problem_loss_of_zero(&t->problem);
    char number[DATASET_NUMBER_TEXT];
    if (run->end.loss > LOSS_SLACK * zero)
        warnings_add(t->warnings,
                     "the best weights found have a loss of %.4g, above the %.4g of weights that "
                     "are all 0; give more --tries, or another --scale",
                     run->end.loss, zero);
    if (config->method == TRAIN_SGD)
        doubt_learning_rate(config, t, run);
    if (run->end.only_class >= 0)
        warnings_add(t->warnings, "the model predicts every training sample as class '%s'; try %s",
                     dataset_class_name(&t->data, (size_t)run->end.only_class, number),
                     remedy_of_one_class(config));
}

/* Marks the run as interrupted and drops its model, which was not evaluated. */
static void interrupt(const train_config *config, train_run *run)
{
    const bool sgd = config->method == TRAIN_SGD;
    *(sgd ? &run->sgd.interrupted : &run->result.interrupted) = true;
    *(sgd ? run->sgd.digest : run->result.digest) = '\0';
}

int train_judge(const train_config *config, const task *t, train_run *run)
{
    const problem *p = &t->problem;
    const bool first = is_first_rank(p);
    struct {
        int code;
        bool stopped;
        evaluation end;
    } found = {0};
    if (first)
        found.code = evaluate(
            p, config->method == TRAIN_SGD ? run->sgd.weights : &run->result.weights, &found.end);
    found.stopped = *p->stop != 0;
    if (p->cluster != NULL) /* the last bits of f32 may differ among ranks */
        cluster_share(p->cluster, &found, sizeof found);
    run->end = found.end;
    run->judged = found.code == EXIT_OK && !found.stopped;
    if (found.code == EXIT_OK && found.stopped)
        interrupt(config, run);
    if (!run->judged)
        return found.code;
    const double zero = problem_loss_of_zero(p);
    if (!isfinite(run->end.loss) || (run->end.loss > LOSS_SLACK * zero && !is_search(config)))
        return fail(config, p, run);
    if (first)
        warn_after(config, t, run);
    return EXIT_OK;
}
