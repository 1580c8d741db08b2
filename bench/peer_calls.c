/* SPDX-License-Identifier: MIT */
#include "peer_calls.h"

#include "calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* For operations that a peer does not offer. */
static const caller ours = {.library = &library_linked};

static void score(const peer *p, workload *l)
{
    for (size_t i = 0; i < l->n; i++)
        memcpy(l->scores + i * l->c, l->b, l->c * sizeof *l->b);
    p->sgemm(p, false, true, l->n, l->c, l->d, l->x, l->d, l->w, l->d, true, l->scores, l->c);
}

static void grad(const peer *p, workload *l, const float *dscores)
{
    p->sgemm(p, true, false, l->c, l->d, l->n, dscores, l->c, l->x, l->d, false, l->dw, l->d);
    memset(l->db, 0, l->c * sizeof *l->db);
    for (size_t i = 0; i < l->n; i++)
        for (size_t j = 0; j < l->c; j++)
            l->db[j] += dscores[i * l->c + j];
}

static downhill_status call_score(const peer *p, workload *l)
{
    score(p, l);
    return DOWNHILL_OK;
}

static downhill_status call_grad(const peer *p, workload *l)
{
    grad(p, l, l->grad_dscores);
    return DOWNHILL_OK;
}

static downhill_status call_step(const peer *p, workload *l)
{
    const downhill_matrix_f32 scores = {l->scores, l->c, l->n, l->c};
    double loss;
    score(p, l);
    const downhill_status status = downhill_hinge_f32(NULL, &scores, l->y, 1.0f, &scores, &loss);
    if (status != DOWNHILL_OK)
        return status;
    grad(p, l, l->scores);
    return call_update_f32(&ours, l);
}

/* Copies the rows of a shuffled batch together, because a matrix product needs them contiguous. */
static downhill_status epoch_step(const void *context, workload *l, const downhill_batch_f32 *batch)
{
    workload part = *l;
    part.n = batch->n;
    if (batch->rows == l->in_order + batch->rows[0]) {
        part.x = l->x + batch->rows[0] * l->d;
        part.y = l->y + batch->rows[0];
    } else {
        part.x = l->step_x;
        part.y = l->step_y;
        for (size_t i = 0; i < batch->n; i++) {
            memcpy(part.x + i * l->d, l->x + batch->rows[i] * l->d, l->d * sizeof *part.x);
            part.y[i] = l->y[batch->rows[i]];
        }
    }
    return call_step(context, &part);
}

static downhill_status call_epoch(const peer *p, workload *l)
{
    return workload_epoch(l, l->in_order, epoch_step, p);
}

static downhill_status call_epoch_shuffled(const peer *p, workload *l)
{
    return workload_epoch(l, l->shuffled, epoch_step, p);
}

peer_call *peer_call_of(bench_kernel kernel)
{
    switch (kernel) {
    case BENCH_score_f32:
        return call_score;
    case BENCH_grad_f32:
        return call_grad;
    case BENCH_step_hinge_f32:
        return call_step;
    case BENCH_epoch_hinge_f32:
        return call_epoch;
    case BENCH_epoch_hinge_shuffled_f32:
        return call_epoch_shuffled;
    default:
        return NULL;
    }
}

/* Returns whether each element of `actual` differs from that of `expected` by at most its bound.
 * There is a bound per column, or per row. */
static bool is_within(const float *expected, const float *actual, size_t rows, size_t columns,
                      const double *bound, bool per_column)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            const double error =
                fabs((double)expected[i * columns + j] - (double)actual[i * columns + j]);
            if (!(error <= bound[per_column ? j : i]))
                return false;
        }
    return true;
}

bool peer_agrees(const peer *p, workload *l)
{
    const size_t n = l->n, d = l->d, c = l->c, max = n > d ? n : d;
    float *expected = malloc(max * c * sizeof *expected);
    double *bound = calloc(c, sizeof *bound);
    bool good = expected != NULL && bound != NULL;
    if (good) {
        /* |x| <= 1, so that Σ|x·w| <= Σ|w|. Both results may err by the bound. */
        const double gamma = ((double)d + 2) * 0x1p-24;
        for (size_t j = 0; j < c; j++) {
            double sum = fabs((double)l->b[j]);
            for (size_t k = 0; k < d; k++)
                sum += fabs((double)l->w[j * d + k]);
            bound[j] = 2 * gamma * sum;
        }
        call_score_f32(&ours, l);
        memcpy(expected, l->scores, n * c * sizeof *expected);
        score(p, l);
        good = is_within(expected, l->scores, n, c, bound, true);
    }
    if (good) {
        const double gamma = ((double)n + 2) * 0x1p-24;
        for (size_t j = 0; j < c; j++) {
            double sum = 0.0;
            for (size_t i = 0; i < n; i++)
                sum += fabs((double)l->grad_dscores[i * c + j]);
            bound[j] = 2 * gamma * sum;
        }
        call_grad_f32(&ours, l);
        memcpy(expected, l->dw, c * d * sizeof *expected);
        grad(p, l, l->grad_dscores);
        good = is_within(expected, l->dw, c, d, bound, false);
    }
    free(expected);
    free(bound);
    return good;
}
