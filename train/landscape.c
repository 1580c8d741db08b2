/* SPDX-License-Identifier: MIT */
#include "landscape.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "method.h"
#include "parallel/together.h"

#include <stdio.h>
#include <stdlib.h>

/* Samples per block: the scores of one point stay in a cache, and the threads synchronise
 * rarely. */
enum { BLOCK_ROWS = 1024, SETS_MAX = LANDSCAPE_DIRECTIONS_MAX + 1 };

/* Buffers and result of one thread. */
struct worker {
    double *scores; /* of one point */
    int16_t *dscores;
    downhill_status status;
    bool stopped; /* stopped before its last point */
};

struct landscape {
    const problem *p;
    const samples *s;
    size_t directions, c, threads;
    landscape_point *points;
    size_t count;
    evaluator *evaluator;
    downhill_weights_f32 all; /* the sets, one after another */
    double *scores;           /* block × all.c */
    int32_t *y;
    size_t n; /* samples of the current block */
    struct worker *workers;
};

static bool worker_open(struct worker *w, size_t c)
{
    w->scores = memory_new(BLOCK_ROWS * c, sizeof *w->scores);
    w->dscores = memory_new(BLOCK_ROWS * c, sizeof *w->dscores);
    return w->scores && w->dscores;
}

static bool landscape_open(struct landscape *l, const downhill_weights_f32 *sets)
{
    const size_t n_sets = l->directions + 1;
    l->c = l->p->data->c;
    l->threads = l->p->threads;
    l->workers = calloc(l->threads, sizeof *l->workers);
    l->evaluator =
        evaluator_open(l->p->features, l->p->kernels, l->p->loss, l->c, n_sets, l->threads);
    l->scores = memory_new(BLOCK_ROWS * n_sets * l->c, sizeof *l->scores);
    l->y = memory_new(BLOCK_ROWS, sizeof *l->y);
    bool good = l->workers && l->evaluator && l->scores && l->y &&
                weights_new(l->p->data->d, n_sets * l->c, &l->all);
    for (size_t i = 0; good && i < l->threads; i++)
        good = worker_open(&l->workers[i], l->c);
    if (good)
        evaluator_stops_at(l->evaluator, l->p->stop);
    for (size_t i = 0; good && i < n_sets; i++) {
        const downhill_weights_f32 to = {l->all.w + i * l->c * l->all.ldw, l->all.ldw,
                                         l->all.b + i * l->c, l->all.d, l->c};
        weights_copy(&sets[i], &to);
    }
    return good;
}

static void landscape_close(struct landscape *l)
{
    for (size_t i = 0; l->workers != NULL && i < l->threads; i++) {
        free(l->workers[i].scores);
        free(l->workers[i].dscores);
    }
    free(l->workers);
    free(l->scores);
    free(l->y);
    weights_free(&l->all);
    evaluator_close(l->evaluator);
}

static void scores_at(const struct landscape *l, const landscape_point *point, double *restrict to)
{
    const size_t c = l->c, wide = l->all.c;
    const double a = point->a[0], b = l->directions > 1 ? point->a[1] : 0.0;
    for (size_t i = 0; i < l->n; i++) {
        const double *restrict w = l->scores + i * wide, *restrict u = w + c,
                               *restrict v = l->directions > 1 ? u + c : u;
        for (size_t j = 0; j < c; j++)
            to[i * c + j] = w[j] + a * u[j] + b * v[j];
    }
}

/* Adds the loss of the block to the point's. */
static downhill_status add_loss(const struct landscape *l, struct worker *w, landscape_point *point)
{
    const size_t c = l->c;
    double loss = 0.0;
    downhill_status status;
    scores_at(l, point, w->scores);
    const downhill_matrix_f64 scores = {w->scores, c, l->n, c};
    const downhill_matrix_i16 dscores = {w->dscores, c, l->n, c};
    if (l->p->loss.kind == DOWNHILL_HINGE)
        status =
            downhill_hinge_u8(l->p->kernels, &scores, l->y, l->p->loss.margin, &dscores, &loss);
    else
        status = downhill_softmax_u8(l->p->kernels, &scores, l->y, &dscores, &loss);
    point->loss += loss;
    return status;
}

static void run_worker(void *context, size_t i)
{
    const struct landscape *l = context;
    struct worker *w = &l->workers[i];
    const size_t end = l->count * (i + 1) / l->threads;
    size_t at = l->count * i / l->threads;
    w->status = DOWNHILL_OK;
    /* A block at many points takes minutes, so check the signal at every point. */
    for (; at < end && w->status == DOWNHILL_OK && *l->p->stop == 0; at++)
        w->status = add_loss(l, w, &l->points[at]);
    w->stopped = w->status == DOWNHILL_OK && at < end;
}

static downhill_status run_block(struct landscape *l, size_t first, bool *stopped)
{
    downhill_status status = evaluator_scores(l->evaluator, &l->all, l->s, first, l->n, l->scores);
    for (size_t i = 0; i < l->n; i++)
        l->y[i] = samples_label(l->s, first + i);
    if (*l->p->stop != 0) {
        *stopped = true;
        return status;
    }
    if (status == DOWNHILL_OK)
        together_run(l->threads, run_worker, l);
    for (size_t i = 0; i < l->threads && status == DOWNHILL_OK; i++) {
        status = l->workers[i].status;
        *stopped = *stopped || l->workers[i].stopped;
    }
    return status;
}

/* Divides the sums of the losses by the number of samples and adds the penalty λ‖W + aU + bV‖² of
 * each point, computed from the inner products of W, U and V. */
static void add_penalties(struct landscape *l)
{
    double products[SETS_MAX][SETS_MAX] = {{0.0}};
    const size_t c = l->c, d = l->all.d, n_sets = l->directions + 1;
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const double scale = (double)method_weight_scale(l->p, k);
            double w[SETS_MAX] = {0.0};
            for (size_t s = 0; s < n_sets; s++)
                w[s] = scale > 0.0 ? (double)l->all.w[(s * c + j) * l->all.ldw + k] / scale : 0.0;
            for (size_t s = 0; s < n_sets; s++)
                for (size_t t = 0; t < n_sets; t++)
                    products[s][t] += w[s] * w[t];
        }
    for (size_t i = 0; i < l->count; i++) {
        const double at[SETS_MAX] = {1.0, l->points[i].a[0], l->points[i].a[1]};
        double sum = 0.0;
        for (size_t s = 0; s < n_sets; s++)
            for (size_t t = 0; t < n_sets; t++)
                sum += at[s] * at[t] * products[s][t];
        l->points[i].loss = l->points[i].loss / (double)l->s->n + (double)l->p->reg * sum;
    }
}

int landscape_losses(const problem *p, const samples *s, const downhill_weights_f32 *sets,
                     size_t directions, landscape_point *points, size_t count, bool *done)
{
    struct landscape l = {
        .p = p, .s = s, .directions = directions, .points = points, .count = count};
    progress bar = progress_open("landscape", p->progress);
    const size_t n_blocks = (s->n + BLOCK_ROWS - 1) / BLOCK_ROWS;
    downhill_status status = landscape_open(&l, sets) ? DOWNHILL_OK : DOWNHILL_ERR_WORKSPACE;
    for (size_t i = 0; i < count; i++)
        points[i].loss = 0.0;
    bool stopped = false;
    size_t b = 0;
    for (; b < n_blocks && status == DOWNHILL_OK && *p->stop == 0; b++) {
        const size_t first = b * BLOCK_ROWS, remaining = s->n - first;
        l.n = remaining < BLOCK_ROWS ? remaining : BLOCK_ROWS;
        status = run_block(&l, first, &stopped);
        progress_show(&bar, b + 1, n_blocks, (double)(b + 1) / (double)n_blocks,
                      "blocks of samples");
    }
    progress_close(&bar);
    *done = b == n_blocks && !stopped;
    if (status == DOWNHILL_OK && *done)
        add_penalties(&l);
    landscape_close(&l);
    return status == DOWNHILL_OK ? EXIT_OK : problem_failed(status);
}
