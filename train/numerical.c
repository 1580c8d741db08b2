/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "numerical.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/real.h"
#include "base/rng.h"
#include "order.h"
#include "scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct descent {
    const problem *p;
    const numerical_options *options;
    model *model;
    evaluator *evaluator;
    order order;
    /* at_once·c rows: copies of the weights, each with one coordinate moved */
    downhill_weights_f32 many;
    size_t at_once;
    size_t n_all, n_coordinates;
    size_t *coordinates; /* all coordinates; those of the current step come first */
    double *numerical;   /* derivatives with respect to those of the step */
    double start_s, aside_s;
};

static float *coordinate(const downhill_weights_f32 *w, size_t which)
{
    const size_t n_weights = w->c * w->d;
    return which < n_weights ? w->w + which / w->d * w->ldw + which % w->d
                             : w->b + (which - n_weights);
}

static downhill_weights_f32 copy_at(const struct descent *t, size_t i)
{
    const size_t c = t->p->data->c;
    return (downhill_weights_f32){t->many.w + i * c * t->many.ldw, t->many.ldw, t->many.b + i * c,
                                  t->many.d, c};
}

static bool descent_open(struct descent *t)
{
    const problem *p = t->p;
    const size_t d = p->data->d, c = p->data->c;
    const sgd_options shuffled = {
        .shuffle = SGD_SHUFFLE_ROWS, .batch = t->options->batch, .seed = t->options->seed};
    const workforce by = problem_workforce(p);
    char why[128];
    t->at_once = evaluate_at_once(c);
    t->n_all = c * d + c;
    t->n_coordinates = t->options->coordinates < t->n_all ? t->options->coordinates : t->n_all;
    t->coordinates = memory_new(t->n_all, sizeof *t->coordinates);
    t->numerical = memory_new(t->n_coordinates, sizeof *t->numerical);
    t->model = model_open(p->features, &by, p->kernels, why, sizeof why);
    t->evaluator = evaluator_open(p->features, p->kernels, p->loss, c, t->at_once, p->threads);
    if (t->coordinates == NULL || t->numerical == NULL || t->model == NULL ||
        t->evaluator == NULL || !weights_new(d, t->at_once * c, &t->many) ||
        !order_open(&p->data->train, &shuffled, &t->order)) {
        error_line("train: out of memory");
        return false;
    }
    evaluator_stops_at(t->evaluator, p->stop);
    for (size_t i = 0; i < t->n_all; i++)
        t->coordinates[i] = i;
    return true;
}

static void descent_close(struct descent *t)
{
    free(t->coordinates);
    free(t->numerical);
    model_close(t->model);
    evaluator_close(t->evaluator);
    weights_free(&t->many);
    order_close(&t->order);
}

/* Draws the coordinates of a step, without repeats, and moves them to the front. */
static void draw_coordinates(struct descent *t, size_t step)
{
    if (t->n_coordinates == t->n_all)
        return;
    rng r = rng_stream(~t->options->seed, step); /* not the stream that order_draw() uses */
    for (size_t i = 0; i < t->n_coordinates; i++) {
        const size_t j = i + (size_t)rng_below(&r, t->n_all - i), chosen = t->coordinates[j];
        t->coordinates[j] = t->coordinates[i];
        t->coordinates[i] = chosen;
    }
}

/* Computes `count` losses: loss i has coordinate `first` + i moved by h. */
static downhill_status losses_at(struct descent *t, const samples *batch, size_t first,
                                 size_t count, float h, evaluation *of)
{
    const downhill_weights_f32 *w = model_weights(t->model);
    for (size_t i = 0; i < count; i++) {
        const downhill_weights_f32 copy = copy_at(t, i);
        *coordinate(&copy, t->coordinates[first + i]) += h;
    }
    const size_t c = t->p->data->c;
    const downhill_weights_f32 all = {t->many.w, t->many.ldw, t->many.b, t->many.d, count * c};
    const downhill_status status = evaluator_run(t->evaluator, &all, count, batch, of);
    for (size_t i = 0; i < count; i++) {
        const downhill_weights_f32 copy = copy_at(t, i);
        const size_t which = t->coordinates[first + i];
        *coordinate(&copy, which) = *coordinate(w, which);
    }
    return status;
}

/* Checks that h is not rounded away when it is added to a large weight, which would leave no
 * difference to divide. */
static int check_h(const struct descent *t, method_result *result)
{
    const float h = t->options->h;
    char text[REAL_TEXT], remedy[SCALE_REMEDY_TEXT];
    for (size_t i = 0; i < t->n_coordinates; i++) {
        const float w = *coordinate(model_weights(t->model), t->coordinates[i]);
        if (w + h == w || w - h == w)
            return problem_training_failed(t->p, result->failed,
                                           "--h %s is rounded away beside a weight of %g in f32; "
                                           "try a larger --h, or %s",
                                           real_f32(h, text), (double)w,
                                           scale_remedy(t->p, t->options->lr, remedy));
    }
    return EXIT_OK;
}

/* Computes the derivatives of the mean loss, without the penalty, into t->numerical. They are
 * undefined if stopped. */
static downhill_status differences(struct descent *t, const samples *batch, method_result *result)
{
    const float h = t->options->h;
    evaluation here, above[EVALUATE_AT_ONCE_MAX], below[EVALUATE_AT_ONCE_MAX];
    for (size_t i = 0; i < t->at_once; i++) {
        const downhill_weights_f32 copy = copy_at(t, i);
        weights_copy(model_weights(t->model), &copy);
    }
    downhill_status status = DOWNHILL_OK;
    if (!t->options->centred) {
        status = evaluator_run(t->evaluator, model_weights(t->model), 1, batch, &here);
        result->evaluations++;
    }
    for (size_t first = 0, n; first < t->n_coordinates && status == DOWNHILL_OK && *t->p->stop == 0;
         first += n) {
        const size_t remaining = t->n_coordinates - first;
        n = remaining < t->at_once ? remaining : t->at_once;
        status = losses_at(t, batch, first, n, h, above);
        if (status == DOWNHILL_OK && t->options->centred)
            status = losses_at(t, batch, first, n, -h, below);
        result->evaluations += t->options->centred ? 2 * n : n;
        for (size_t i = 0; i < n && status == DOWNHILL_OK && *t->p->stop == 0; i++) {
            /* The steps that were actually taken: w + h is rounded. */
            const float w = *coordinate(model_weights(t->model), t->coordinates[first + i]);
            const double up = (double)(w + h) - (double)w, down = (double)w - (double)(w - h);
            t->numerical[first + i] = t->options->centred
                                          ? (above[i].loss - below[i].loss) / (up + down)
                                          : (above[i].loss - here.loss) / up;
        }
    }
    return status;
}

/* Returns ‖numerical - analytic‖ / ‖analytic‖ over the coordinates of the step. */
static double difference(const struct descent *t, size_t n)
{
    const downhill_gradient_f32 *g = model_gradient_sums(t->model).f32;
    const downhill_weights_f32 analytic = {g->dw, g->lddw, g->db, g->d, g->c};
    double off = 0.0, all = 0.0;
    for (size_t i = 0; i < t->n_coordinates; i++) {
        const double a = (double)*coordinate(&analytic, t->coordinates[i]) / (double)n;
        off += (t->numerical[i] - a) * (t->numerical[i] - a);
        all += a * a;
    }
    return all > 0.0 ? sqrt(off / all) : 0.0;
}

static downhill_status move(struct descent *t)
{
    const downhill_weights_f32 *w = model_weights(t->model);
    const size_t n_weights = w->c * w->d;
    for (size_t i = 0; i < t->n_coordinates; i++) {
        float *value = coordinate(w, t->coordinates[i]);
        const double penalty =
            t->coordinates[i] < n_weights ? 2.0 * (double)t->p->reg * (double)*value : 0.0;
        *value = (float)((double)*value - (double)t->options->lr * (t->numerical[i] + penalty));
    }
    return model_changed(t->model);
}

static int diverged(const struct descent *t, size_t steps, method_result *result)
{
    char remedy[SCALE_REMEDY_TEXT];
    return problem_training_failed(t->p, result->failed,
                                   "diverged: the loss is no longer finite in step %zu; try %s",
                                   steps, scale_remedy(t->p, t->options->lr, remedy));
}

static int step(struct descent *t, size_t number, const method_events *events,
                method_result *result, numerical_cost *cost)
{
    const size_t n_train = t->p->data->train.n;
    const size_t n = t->options->batch < n_train ? t->options->batch : n_train;
    const size_t per_epoch = n_train / n, first = number % per_epoch * n;
    if (first == 0)
        order_draw(&t->order, number / per_epoch);
    const samples batch = {t->p->data->train.x, t->order.rows + first, n};
    const size_t before = result->evaluations;
    double loss = 0.0;
    draw_coordinates(t, number);
    const int code = check_h(t, result);
    if (code != EXIT_OK)
        return code;
    const double start = clock_seconds();
    downhill_status status = differences(t, &batch, result);
    if (status == DOWNHILL_OK && *t->p->stop != 0)
        return EXIT_OK;
    const double middle = clock_seconds();
    if (status == DOWNHILL_OK)
        status = model_gradient(t->model, batch.rows, n, 0, t->p->loss, &loss, NULL);
    const double analytic_s = clock_seconds() - middle;
    t->aside_s += analytic_s;
    cost->numerical_s += (middle - start);
    cost->analytic_s += analytic_s;
    cost->evaluations = result->evaluations - before;
    const double off = difference(t, n);
    cost->difference = off > cost->difference ? off : cost->difference;
    loss = loss / (double)n + method_penalty(t->p, model_weights(t->model));
    if (status == DOWNHILL_OK)
        status = move(t);
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    if (!isfinite(loss))
        return diverged(t, number + 1, result);
    result->tried = number + 1;
    const method_point point = {.number = number + 1,
                                .evaluations = result->evaluations,
                                .seconds = clock_seconds() - t->start_s - t->aside_s,
                                .loss = loss,
                                .test_accuracy = (double)NAN};
    return method_add(events, result, point) ? EXIT_OK : EXIT_INTERNAL;
}

int numerical_train(const problem *p, const numerical_options *options, const method_events *events,
                    method_result *result, numerical_cost *cost)
{
    struct descent t = {.p = p, .options = options};
    progress bar = progress_open("train", p->progress);
    *cost = (numerical_cost){0};
    int code = EXIT_INTERNAL;
    if (method_open(p, result) && descent_open(&t))
        code = EXIT_OK;
    t.start_s = clock_seconds();
    for (size_t s = 0; s < options->steps && code == EXIT_OK && !result->interrupted; s++) {
        progress_close(&bar);
        code = step(&t, s, events, result, cost);
        if (code == EXIT_OK)
            progress_show(&bar, s + 1, options->steps, (double)(s + 1) / (double)options->steps,
                          "steps");
        result->interrupted = *p->stop != 0;
    }
    progress_close(&bar);
    /* Each loss is computed before its step, so nothing has checked the last update yet. */
    if (code == EXIT_OK && !weights_are_finite(model_weights(t.model)))
        code = diverged(&t, result->tried, result);
    result->seconds = clock_seconds() - t.start_s - t.aside_s;
    if (result->tried > 0) {
        cost->coordinates = t.n_coordinates;
        cost->numerical_s /= (double)result->tried;
        cost->analytic_s /= (double)result->tried;
        cost->ratio =
            cost->numerical_s * (double)t.n_all / (double)t.n_coordinates / cost->analytic_s;
    }
    if (code == EXIT_OK) {
        weights_copy(model_weights(t.model), &result->weights);
        code = method_finish(p, t.evaluator, result);
    }
    descent_close(&t);
    return code;
}
