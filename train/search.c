/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "search.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "draw.h"
#include "parallel/together.h"

#include <math.h>
#include <stdio.h>

struct search {
    const problem *p;
    const search_options *options;
    size_t at_once, first; /* tries from number `first` on are being drawn */
    evaluator *evaluator;
    downhill_weights_f32 tries; /* at_once·c rows */
    progress progress;
    double start_s;
};

/* Returns the rows of try i. */
static downhill_weights_f32 try_at(const downhill_weights_f32 *all, size_t i, size_t c)
{
    return (downhill_weights_f32){all->w + i * c * all->ldw, all->ldw, all->b + i * c, all->d, c};
}

static bool search_open(const problem *p, const search_options *options, size_t at_once,
                        struct search *s)
{
    const size_t c = p->data->c;
    *s = (struct search){.p = p,
                         .options = options,
                         .at_once = at_once,
                         .progress = progress_open("train", p->progress),
                         .start_s = clock_seconds()};
    s->evaluator = evaluator_open(p->features, p->kernels, p->loss, c, at_once, p->threads);
    if (s->evaluator != NULL && weights_new(p->data->d, at_once * c, &s->tries)) {
        evaluator_stops_at(s->evaluator, p->stop);
        return true;
    }
    error_line("train: out of memory");
    return false;
}

/* Finishes the result and frees the search. */
static int search_close(struct search *s, int code, method_result *result)
{
    progress_close(&s->progress);
    result->seconds = clock_seconds() - s->start_s;
    if (code == EXIT_OK)
        code = method_finish(s->p, s->evaluator, result);
    evaluator_close(s->evaluator);
    weights_free(&s->tries);
    return code;
}

static void show_progress(struct search *s, size_t number, double best)
{
    char name[48];
    snprintf(name, sizeof name, "best loss %.6f", best);
    progress_show(&s->progress, number, s->options->tries,
                  (double)number / (double)s->options->tries, name);
}

/* Keeps try `number`, which is index i of the current ones, if it is better than all before. */
static int keep_if_better(struct search *s, const method_events *events, size_t number, size_t i,
                          double loss, method_result *result)
{
    const double best =
        result->n_points > 0 ? result->points[result->n_points - 1].loss : (double)INFINITY;
    if (!(loss < best))
        return EXIT_OK;
    const downhill_weights_f32 of_try = try_at(&s->tries, i, s->p->data->c);
    weights_copy(&of_try, &result->weights);
    progress_close(&s->progress);
    const method_point point = {.number = number,
                                .evaluations = result->evaluations,
                                .seconds = clock_seconds() - s->start_s,
                                .loss = loss,
                                .test_accuracy = (double)NAN};
    return method_add(events, result, point) ? EXIT_OK : EXIT_INTERNAL;
}

static void draw_one(void *context, size_t i)
{
    const struct search *s = context;
    const downhill_weights_f32 to = try_at(&s->tries, i, s->p->data->c);
    draw_weights(s->p, s->options->seed, s->first + i, s->options->scale, NULL, &to);
}

/* Draws and evaluates `count` tries and keeps the best. */
static int run_tries(struct search *s, const method_events *events, size_t count,
                     method_result *result)
{
    evaluation of[EVALUATE_AT_ONCE_MAX];
    const size_t c = s->p->data->c;
    for (size_t i = 0; i < count; i += s->p->threads) {
        const size_t remaining = count - i;
        s->first = result->tried + 1;
        struct search part = *s;
        part.first += i;
        part.tries = try_at(&s->tries, i, c);
        together_run(remaining < s->p->threads ? remaining : s->p->threads, draw_one, &part);
    }
    const downhill_weights_f32 all = try_at(&s->tries, 0, count * c);
    const downhill_status status = evaluator_run(s->evaluator, &all, count, &s->p->data->train, of);
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    int code = EXIT_OK;
    for (size_t i = 0; i < count && code == EXIT_OK && *s->p->stop == 0; i++) {
        const downhill_weights_f32 weights = try_at(&s->tries, i, c);
        result->evaluations++;
        code = keep_if_better(s, events, ++result->tried, i,
                              of[i].loss + method_penalty(s->p, &weights), result);
    }
    return code;
}

int random_search(const problem *p, const search_options *options, const method_events *events,
                  method_result *result)
{
    const size_t at_once = evaluate_at_once(p->data->c);
    struct search s = {0};
    int code = EXIT_INTERNAL;
    if (method_open(p, result) && search_open(p, options, at_once, &s))
        code = EXIT_OK;
    while (code == EXIT_OK && result->tried < options->tries && !result->interrupted) {
        const size_t remaining = options->tries - result->tried;
        code = run_tries(&s, events, remaining < at_once ? remaining : at_once, result);
        if (code == EXIT_OK && result->n_points > 0)
            show_progress(&s, result->tried, result->points[result->n_points - 1].loss);
        result->interrupted = *p->stop != 0;
    }
    return search_close(&s, code, result);
}

int local_search(const problem *p, const search_options *options, const method_events *events,
                 method_result *result)
{
    struct search s = {0};
    int code = EXIT_INTERNAL;
    if (method_open(p, result) && search_open(p, options, 1, &s))
        code = EXIT_OK;
    for (size_t number = 0; code == EXIT_OK && number <= options->tries && !result->interrupted;
         number++) {
        /* 0 is the starting point. */
        if (number == 0)
            draw_weights(p, options->seed, 0, options->scale, NULL, &s.tries);
        else
            draw_weights(p, options->seed, number, options->step, &result->weights, &s.tries);
        evaluation of;
        const downhill_status status =
            evaluator_run(s.evaluator, &s.tries, 1, &p->data->train, &of);
        if (status != DOWNHILL_OK) {
            code = problem_failed(status);
            break;
        }
        if ((result->interrupted = *p->stop != 0))
            break;
        result->tried = number;
        result->evaluations++;
        code = keep_if_better(&s, events, number, 0, of.loss + method_penalty(p, &s.tries), result);
        if (code == EXIT_OK && result->n_points > 0)
            show_progress(&s, number, result->points[result->n_points - 1].loss);
    }
    return search_close(&s, code, result);
}
