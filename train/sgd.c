/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sgd.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/real.h"
#include "data/readahead.h"
#include "evaluate.h"
#include "order.h"
#include "parallel/part.h"
#include "scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trainer {
    const problem *p;
    const sgd_options *options;
    const sgd_events *events;
    sgd_state *state;
    order order;
    /* if readahead.wanted: row numbers that this rank takes in the epoch, step by step */
    size_t *own, n_own;
    optimiser optimiser;
    model *model;
    evaluator *evaluator;
    readahead readahead;
    progress progress;
    char *failed; /* failed[] of the result */
};

/* ---- the state ---- */

bool sgd_state_new(const sgd_options *options, bool with_best, size_t d, size_t c, sgd_state *state)
{
    *state = (sgd_state){.epochs = calloc(options->epochs, sizeof *state->epochs)};
    return state->epochs != NULL && weights_new(d, c, &state->weights) &&
           (options->rule == OPTIMISER_PLAIN || weights_new(d, c, &state->velocity)) &&
           (!with_best || weights_new(d, c, &state->best));
}

void sgd_state_free(sgd_state *state)
{
    free(state->epochs);
    weights_free(&state->weights);
    weights_free(&state->velocity);
    weights_free(&state->best);
    *state = (sgd_state){0};
}

/* Loads a state into the trainer. `from` stays the caller's. */
static void state_load(struct trainer *t, const sgd_state *from)
{
    sgd_state *to = t->state;
    const sgd_state own = *to;
    *to = *from;
    to->epochs = own.epochs;
    to->weights = own.weights;
    to->velocity = own.velocity;
    to->best = own.best;
    memcpy(to->epochs, from->epochs, from->epoch * sizeof *to->epochs);
    weights_copy(&from->weights, model_weights(t->model));
    if (own.velocity.w != NULL)
        weights_copy(&from->velocity, &t->optimiser.velocity);
    if (own.best.w != NULL && from->best.w != NULL) /* none before the end of the first epoch */
        weights_copy(&from->best, &to->best);
}

/* Copies the trainer's weights and velocity to its state. */
static void state_store(struct trainer *t)
{
    weights_copy(model_weights(t->model), &t->state->weights);
    if (t->state->velocity.w != NULL)
        weights_copy(&t->optimiser.velocity, &t->state->velocity);
}

/* ---- opening ---- */

static void trainer_close(struct trainer *t)
{
    order_close(&t->order);
    free(t->own);
    optimiser_close(&t->optimiser);
    model_close(t->model);
    evaluator_close(t->evaluator);
}

static bool trainer_open(struct trainer *t, const sgd_state *from)
{
    const problem *p = t->p;
    const size_t d = p->data->d, c = p->data->c;
    const workforce by = problem_workforce(p);
    char why[128];
    const bool good =
        sgd_state_new(t->options, p->data->validation.n > 0, d, c, t->state) &&
        order_open(&p->data->train, t->options, &t->order) &&
        (!t->readahead.wanted || (t->own = memory_new(p->data->train.n, sizeof *t->own)) != NULL) &&
        optimiser_open(t->options->rule, t->options->momentum, d, c, &t->optimiser) &&
        (t->model = model_open(p->features, &by, p->kernels, why, sizeof why)) != NULL &&
        (t->evaluator = evaluator_open(p->features, p->kernels, p->loss, c, 1, p->threads)) != NULL;
    if (!good) {
        error_line("train: out of memory");
        return false;
    }
    evaluator_stops_at(t->evaluator, p->stop);
    if (from != NULL) {
        state_load(t, from);
        const downhill_status status = model_changed(t->model);
        if (status != DOWNHILL_OK)
            (void)problem_failed(status);
        return status == DOWNHILL_OK;
    }
    return true;
}

/* ---- an epoch ---- */

/* Checks the loss at W = 0 and b = 0, where every score is 0, every margin Δ and every probability
 * 1/c. */
static int check_first_loss(const struct trainer *t, double loss)
{
    const double want = problem_loss_of_zero(t->p);
    if (fabs(loss - want) <= 1e-4 * (want + 1.0))
        return EXIT_OK;
    return problem_training_failed(t->p, t->failed,
                                   "the first loss with zero weights is %.6g and should be %.6g; "
                                   "run `downhill verify`",
                                   loss, want);
}

static int diverged(const struct trainer *t, float rate)
{
    char remedy[SCALE_REMEDY_TEXT], text[REAL_TEXT];
    return problem_training_failed(
        t->p, t->failed,
        "diverged: the loss is no longer finite in epoch %zu, step %zu, at learning rate %s%s; "
        "try %s",
        t->state->epoch + 1, t->state->step + 1, real_f32(rate, text),
        t->options->rule != OPTIMISER_PLAIN ? " with momentum" : "",
        scale_remedy(t->p, t->options->lr, remedy));
}

/* Saves the state, unless the weights are no longer finite. */
static int checkpoint(struct trainer *t)
{
    if (t->events->checkpoint == NULL || !weights_are_finite(model_weights(t->model)))
        return EXIT_OK;
    state_store(t);
    return t->events->checkpoint(t->state, t->events->context);
}

static void show_progress(struct trainer *t, size_t done)
{
    const size_t n = t->p->data->train.n, epochs = t->options->epochs;
    const double share = ((double)t->state->epoch + (double)done / (double)n) / (double)epochs;
    char name[48];
    snprintf(name, sizeof name, "loss %.4f", t->state->loss_sum / (double)done);
    progress_show(&t->progress, t->state->epoch + 1, epochs, share, name);
}

/* Returns whether to stop. All ranks stop after the same step. */
static bool is_stopped(const struct trainer *t)
{
    return t->p->cluster != NULL && t->p->cluster->size > 1 ? model_is_stopped(t->model)
                                                            : *t->p->stop != 0;
}

/* Returns the size of this rank's part of a step of n samples. */
static size_t own_part(const struct trainer *t, size_t n, size_t *first)
{
    *first = 0;
    return t->p->cluster != NULL ? cluster_part(t->p->cluster, n, PART_ROWS, first) : n;
}

/* Lists the rows that this rank takes in the epoch; it need not read those of the other ranks. */
static void find_own_rows(struct trainer *t)
{
    const size_t n_all = t->p->data->train.n, batch = t->options->batch;
    size_t taken = 0, first;
    for (size_t at = 0; t->readahead.wanted && at < n_all; at += batch) {
        const size_t remaining = n_all - at,
                     own = own_part(t, remaining < batch ? remaining : batch, &first);
        memcpy(t->own + taken, t->order.rows + at + first, own * sizeof *t->own);
        taken += own;
    }
    t->n_own = taken;
}

/* Reads the rows of the next steps ahead. A rank has equally many rows in every complete step. */
static void read_ahead(struct trainer *t, size_t n)
{
    if (!t->readahead.wanted)
        return;
    size_t first;
    const size_t of_whole_step = own_part(t, t->options->batch, &first);
    readahead_step(&t->readahead, t->own, t->state->step * of_whole_step, own_part(t, n, &first),
                   t->n_own);
}

/* Runs the remaining steps of the epoch. */
static int run_steps(struct trainer *t, sgd_result *result)
{
    const sgd_options *o = t->options;
    sgd_state *state = t->state;
    const size_t n_all = t->p->data->train.n, steps = (n_all + o->batch - 1) / o->batch;
    for (; state->step < steps; state->step++) {
        const size_t first = state->step * o->batch, remaining = n_all - first,
                     n = remaining < o->batch ? remaining : o->batch;
        const float rate = schedule_rate(&o->schedule, o->lr, state->epoch,
                                         (double)state->step / (double)steps, o->epochs);
        if (is_stopped(t)) {
            result->interrupted = true;
            return EXIT_OK;
        }
        double loss = 0.0;
        read_ahead(t, n);
        const downhill_status status =
            optimiser_step(&t->optimiser, t->model, t->order.rows + first, n, remaining - n,
                           t->p->loss, t->p->reg, rate, &loss, &state->phases);
        if (status != DOWNHILL_OK)
            return problem_failed(status);
        if (state->epoch == 0 && state->step == 0) {
            state->first_loss = loss / (double)n;
            const int code = check_first_loss(t, state->first_loss);
            if (code != EXIT_OK)
                return code;
        }
        if (!isfinite(loss))
            return diverged(t, rate);
        state->loss_sum += loss;
        if (t->p->progress)
            show_progress(t, first + n);
        if (o->checkpoint_every > 0 && (state->step + 1) % o->checkpoint_every == 0 &&
            state->step + 1 < steps) {
            state->step++;
            const int code = checkpoint(t);
            state->step--;
            if (code != EXIT_OK)
                return code;
        }
    }
    return EXIT_OK;
}

/* Shares the results of rank 0, so that all ranks take the same decisions, and checks that their
 * weights are the same. */
static int agree_on_epoch(const struct trainer *t, sgd_epoch *epoch)
{
    char digest[MODEL_DIGEST_TEXT] = "";
    cluster_share(t->p->cluster, epoch, sizeof *epoch);
    /* an empty digest differs from the others */
    (void)weights_digest(model_weights(t->model), digest);
    if (cluster_agree(t->p->cluster, digest, sizeof digest))
        return EXIT_OK;
    return problem_training_failed(t->p, t->failed,
                                   "the ranks have come to different weights in epoch %zu; run "
                                   "`downhill verify` on each machine",
                                   t->state->epoch + 1);
}

/* Evaluates the weights after an epoch. If interrupted, the state stays that of the last step, and
 * a resumed run repeats the evaluation. */
static int evaluate_epoch(struct trainer *t, sgd_epoch *epoch, sgd_result *result)
{
    const dataset *data = t->p->data;
    evaluation of = {0};
    const downhill_weights_f32 *weights = model_weights(t->model);
    downhill_status status = evaluator_run(t->evaluator, weights, 1, &data->test, &of);
    epoch->test_accuracy = of.accuracy;
    epoch->validation_accuracy = (double)NAN;
    if (status == DOWNHILL_OK && data->validation.n > 0) {
        status = evaluator_run(t->evaluator, weights, 1, &data->validation, &of);
        epoch->validation_accuracy = of.accuracy;
    }
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    const int stop = *t->p->stop;
    result->interrupted =
        (t->p->cluster != NULL ? cluster_largest(t->p->cluster, stop) : stop) != 0;
    if (result->interrupted)
        return EXIT_OK;
    return t->p->cluster != NULL ? agree_on_epoch(t, epoch) : EXIT_OK;
}

/* Runs an epoch, or the rest of it. Times are added to those of the state, whether the epoch ends
 * in this run or in a later one. */
static int run_epoch(struct trainer *t, sgd_result *result)
{
    sgd_state *state = t->state;
    const double start = clock_seconds();
    order_draw(&t->order, state->epoch);
    find_own_rows(t);
    state->phases.gather_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    readahead_begin(&t->readahead, t->options->shuffle == SGD_SHUFFLE_ROWS);
    int code = run_steps(t, result);
    readahead_end(&t->readahead);
    state->seconds += clock_seconds() - start;
    if (code != EXIT_OK || result->interrupted)
        return code;
    /* Each loss is computed before its step, so nothing has checked the last update yet. */
    if (!weights_are_finite(model_weights(t->model))) {
        state->step--;
        return diverged(t, t->options->lr);
    }
    const double n = (double)t->p->data->train.n;
    sgd_epoch *epoch = &state->epochs[state->epoch];
    *epoch = (sgd_epoch){.seconds = state->seconds,
                         .train_loss = state->loss_sum / n,
                         .samples_per_s = n / state->seconds};
    if ((code = evaluate_epoch(t, epoch, result)) != EXIT_OK || result->interrupted)
        return code;
    state->epoch++;
    state->step = 0;
    state->loss_sum = state->seconds = 0.0;
    if (t->p->data->validation.n > 0 &&
        (state->best_epoch == 0 || epoch->validation_accuracy > state->best_accuracy)) {
        state->best_epoch = state->epoch;
        state->best_accuracy = epoch->validation_accuracy;
        weights_copy(model_weights(t->model), &state->best);
    }
    return EXIT_OK;
}

static bool out_of_patience(const struct trainer *t)
{
    const sgd_state *state = t->state;
    return t->options->patience > 0 && state->best_epoch > 0 &&
           state->epoch - state->best_epoch >= t->options->patience;
}

static int run_epochs(struct trainer *t, sgd_result *result)
{
    sgd_state *state = t->state;
    int code = EXIT_OK;
    while (state->epoch < t->options->epochs && code == EXIT_OK && !result->interrupted &&
           !result->stopped_early) {
        code = run_epoch(t, result);
        progress_close(&t->progress);
        if (code == EXIT_OK && !result->interrupted) {
            t->events->epoch(&state->epochs[state->epoch - 1], state->epoch, t->events->context);
            result->stopped_early = out_of_patience(t);
        }
        if (code == EXIT_OK)
            code = checkpoint(t);
    }
    return code;
}

int sgd_train(const problem *p, const sgd_options *options, const sgd_state *from,
              const sgd_events *events, sgd_result *result)
{
    *result = (sgd_result){0};
    sgd_options fitting = *options;
    fitting.batch = options->batch < p->data->train.n ? options->batch : p->data->train.n;
    struct trainer t = {.p = p,
                        .options = &fitting,
                        .events = events,
                        .state = &result->state,
                        .readahead = readahead_open(p->data->train.x),
                        .failed = result->failed,
                        .progress = progress_open("train", p->progress)};
    if (!trainer_open(&t, from)) {
        trainer_close(&t);
        return EXIT_INTERNAL;
    }
    result->stopped_early = out_of_patience(&t);
    int code = run_epochs(&t, result);
    state_store(&t);
    sgd_state *state = &result->state;
    result->weights = state->best_epoch > 0 ? &state->best : &state->weights;
    for (size_t e = 0; e < state->epoch; e++)
        result->seconds += state->epochs[e].seconds;
    result->seconds += state->seconds;
    /* A model interrupted within an epoch cannot be reproduced, so it gets no digest. */
    if (code == EXIT_OK && !result->interrupted && !weights_digest(result->weights, result->digest))
        code = problem_digest_failed();
    trainer_close(&t);
    return code;
}

void sgd_free(sgd_result *result)
{
    sgd_state_free(&result->state);
    *result = (sgd_result){0};
}
