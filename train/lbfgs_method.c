/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lbfgs_method.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"

#include <lbfgs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Samples whose gradient is summed in f32 before it is added up in f64: near the minimum the
 * gradient is a small difference of large sums. */
enum { BLOCK_ROWS = 1024 };

/* Return codes of the callback, passed on by lbfgs(), whose own are around 0 and -1000. */
enum { STOP_INTERRUPTED = 1000, STOP_FAILED };

struct course {
    const problem *p;
    const lbfgs_options *options;
    const method_events *events;
    method_result *result;
    model *model;
    evaluator *evaluator;
    progress progress;
    double start_s, aside_s; /* start, and seconds since then that are not training */
    int code;
    bool cut; /* the last evaluation was interrupted */
};

/* Copies the values, W row by row and then b, to weights. */
static void weights_from(const lbfgsfloatval_t *v, const downhill_weights_f32 *w)
{
    for (size_t j = 0; j < w->c; j++) {
        for (size_t k = 0; k < w->d; k++)
            w->w[j * w->ldw + k] = (float)v[j * w->d + k];
        w->b[j] = (float)v[w->c * w->d + j];
    }
}

static void add_gradient(const downhill_gradient_f32 *g, lbfgsfloatval_t *to)
{
    for (size_t j = 0; j < g->c; j++) {
        for (size_t k = 0; k < g->d; k++)
            to[j * g->d + k] += (double)g->dw[j * g->lddw + k];
        to[g->c * g->d + j] += (double)g->db[j];
    }
}

static lbfgsfloatval_t evaluate(void *context, const lbfgsfloatval_t *v, lbfgsfloatval_t *g,
                                const int n_values, const lbfgsfloatval_t step)
{
    struct course *course = context;
    const samples *train = &course->p->data->train;
    downhill_weights_f32 *w = model_weights(course->model);
    const double n = (double)train->n, reg = (double)course->p->reg;
    const size_t n_weights = w->c * w->d;
    double sum = 0.0, squares = 0.0;
    (void)step;
    weights_from(v, w);
    for (int i = 0; i < n_values; i++)
        g[i] = 0.0;
    course->cut = false;
    for (size_t first = 0, block; first < train->n; first += block) {
        if (*course->p->stop != 0) {
            course->cut = true; /* the line search finds no step at this loss and gives up */
            return HUGE_VAL;
        }
        const size_t remaining = train->n - first;
        block = remaining < BLOCK_ROWS ? remaining : BLOCK_ROWS;
        double loss = 0.0;
        const downhill_status status =
            model_gradient(course->model, train->rows + first, block, remaining - block,
                           course->p->loss, &loss, NULL);
        if (status != DOWNHILL_OK && course->code == EXIT_OK)
            course->code = problem_failed(status);
        sum += loss;
        add_gradient(model_gradient_sums(course->model).f32, g);
    }
    if (course->p->reproducible) {
        /* The sum of the losses above depends on the number of threads; that of the evaluator does not. */
        evaluation of = {0};
        const downhill_status status = evaluator_run(course->evaluator, w, 1, train, &of);
        if (status != DOWNHILL_OK && course->code == EXIT_OK)
            course->code = problem_failed(status);
        sum = of.loss * n;
    }
    for (int i = 0; i < n_values; i++) {
        g[i] /= n;
        if ((size_t)i < n_weights) {
            squares += v[i] * v[i];
            g[i] += 2.0 * reg * v[i];
        }
    }
    course->result->evaluations++;
    return sum / n + reg * squares;
}

static int on_iteration(void *context, const lbfgsfloatval_t *v, const lbfgsfloatval_t *g,
                        const lbfgsfloatval_t loss, const lbfgsfloatval_t v_norm,
                        const lbfgsfloatval_t g_norm, const lbfgsfloatval_t step, int n_values,
                        int iteration, int evaluations)
{
    struct course *course = context;
    const double now = clock_seconds();
    (void)g, (void)v_norm, (void)g_norm, (void)step, (void)n_values, (void)evaluations;
    if (course->code != EXIT_OK)
        return STOP_FAILED;
    evaluation of = {0};
    weights_from(v, &course->result->weights);
    const downhill_status status =
        evaluator_run(course->evaluator, &course->result->weights, 1, &course->p->data->test, &of);
    if (status != DOWNHILL_OK) {
        course->code = problem_failed(status);
        return STOP_FAILED;
    }
    progress_close(&course->progress);
    const method_point point = {.number = (size_t)iteration,
                                .evaluations = course->result->evaluations,
                                .seconds = now - course->start_s - course->aside_s,
                                .loss = loss,
                                .test_accuracy = *course->p->stop == 0 ? of.accuracy : (double)NAN};
    course->result->tried = (size_t)iteration;
    if (!method_add(course->events, course->result, point)) {
        course->code = EXIT_INTERNAL;
        return STOP_FAILED;
    }
    char name[48];
    snprintf(name, sizeof name, "loss %.6f", loss);
    progress_show(&course->progress, (size_t)iteration, course->options->iterations,
                  (double)iteration / (double)course->options->iterations, name);
    course->aside_s += clock_seconds() - now;
    return *course->p->stop ? STOP_INTERRUPTED : 0;
}

static int run(struct course *course, lbfgsfloatval_t *v, int n_values)
{
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = (int)course->options->iterations;
    parameters.epsilon = course->options->tolerance;
    const int ended = lbfgs(n_values, v, NULL, evaluate, on_iteration, course, &parameters);
    if (course->code != EXIT_OK)
        return course->code;
    method_result *result = course->result;
    result->interrupted = ended == STOP_INTERRUPTED || course->cut;
    if (result->interrupted)
        return EXIT_OK;
    if (ended == LBFGS_SUCCESS || ended == LBFGS_ALREADY_MINIMIZED)
        result->why_ended = "converged";
    else if (ended == LBFGSERR_OUTOFMEMORY)
        return problem_failed(DOWNHILL_ERR_WORKSPACE);
    else if (ended != LBFGSERR_MAXIMUMITERATION)
        /* The sums in f32 have a limited precision: below it no step is seen to lower the loss. */
        result->why_ended = "no step lowers the loss any more";
    return EXIT_OK;
}

int lbfgs_train(const problem *p, const lbfgs_options *options, const method_events *events,
                method_result *result)
{
    const size_t d = p->data->d, c = p->data->c, n_values = c * d + c;
    struct course course = {.p = p,
                            .options = options,
                            .events = events,
                            .result = result,
                            .progress = progress_open("train", p->progress)};
    const workforce by = problem_workforce(p);
    char why[128];
    if (!method_open(p, result))
        return EXIT_INTERNAL;
    lbfgsfloatval_t *v = n_values <= INT32_MAX - 16 ? lbfgs_malloc((int)n_values) : NULL;
    course.model = model_open(p->features, &by, p->kernels, why, sizeof why);
    course.evaluator = evaluator_open(p->features, p->kernels, p->loss, c, 1, p->threads);
    if (v == NULL || course.model == NULL || course.evaluator == NULL) {
        course.code = problem_failed(DOWNHILL_ERR_WORKSPACE);
    } else {
        evaluator_stops_at(course.evaluator, p->stop);
        for (size_t i = 0; i < n_values; i++)
            v[i] = 0.0;
        course.start_s = clock_seconds();
        course.code = run(&course, v, (int)n_values);
        result->seconds = clock_seconds() - course.start_s - course.aside_s;
        progress_close(&course.progress);
    }
    if (course.code == EXIT_OK)
        course.code = method_finish(p, course.evaluator, result);
    if (v != NULL)
        lbfgs_free(v);
    model_close(course.model);
    evaluator_close(course.evaluator);
    return course.code;
}
