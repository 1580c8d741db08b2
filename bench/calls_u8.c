/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include "parallel/team.h"
#include "workload.h"

/* A step that leaves the weights unchanged, as in calls.c. */
static const downhill_sgd hinge = {.loss = {DOWNHILL_HINGE, 1.0f}},
                          softmax = {.loss = {.kind = DOWNHILL_SOFTMAX}};

/* The arguments of a call on bytes. */
struct arguments {
    caller by;
    workload_u8 *load;
    downhill_packed_u8 *packed;
    downhill_weights_f32 weights;
    downhill_gradient_u8 sums;
    downhill_matrix_f64 scores;
    downhill_matrix_i16 dscores, hinge_dscores;
};

/* Sets the arguments of a call. Packs the weights unless an earlier call with this table did. */
static downhill_status prepare(struct arguments *a, const caller *by, workload *load,
                               bool normalised)
{
    workload_u8 *l = &load->u8;
    *a = (struct arguments){
        .by = *by,
        .load = l,
        .weights = {l->w, l->d, l->b, l->d, l->c},
        .sums = {l->sums, l->d, l->sums_b, l->d, l->c},
        .scores = {l->scores, l->c, l->n, l->c},
        .dscores = {l->dscores, l->c, l->n, l->c},
        .hinge_dscores = {l->hinge_dscores, l->c, l->n, l->c},
    };
    if (l->workspace.bytes == 0)
        return DOWNHILL_ERR_SIZE;
    if (a->by.kernels == NULL) {
        const downhill_status status = by->library->select(NULL, &a->by.kernels, NULL, 0);
        if (status != DOWNHILL_OK)
            return status;
    }
    a->packed = workload_u8_packed(l, &a->by, normalised);
    return a->packed != NULL ? DOWNHILL_OK : DOWNHILL_ERR_NULL;
}

/* Returns a batch of n samples, in these rows or in the first n if rows is NULL, followed by n_next
 * more to prefetch. */
static downhill_batch_u8 batch_of(const workload_u8 *l, const size_t *rows, size_t n, size_t n_next)
{
    return (downhill_batch_u8){l->x, l->d, l->n, l->y, rows, n, n_next};
}

downhill_status call_score_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    if (status != DOWNHILL_OK)
        return status;
    const downhill_batch_u8 batch = batch_of(a.load, NULL, a.load->n, 0);
    return a.by.library->score_u8(a.by.kernels, &batch, a.packed, &a.scores);
}

downhill_status call_hinge_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    if (status != DOWNHILL_OK)
        return status;
    double loss;
    return a.by.library->hinge_u8(a.by.kernels, &a.scores, a.load->y, hinge.loss.margin, &a.dscores,
                                  &loss);
}

downhill_status call_softmax_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    if (status != DOWNHILL_OK)
        return status;
    double loss;
    return a.by.library->softmax_u8(a.by.kernels, &a.scores, a.load->y, &a.dscores, &loss);
}

downhill_status call_grad_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    if (status != DOWNHILL_OK)
        return status;
    const downhill_batch_u8 batch = batch_of(a.load, NULL, a.load->n, 0);
    return a.by.library->grad_u8(a.by.kernels, &batch, &a.hinge_dscores, 0, &a.sums);
}

static downhill_status update(const caller *by, workload *load, bool normalised)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, normalised);
    if (status != DOWNHILL_OK)
        return status;
    return a.by.library->update_u8(a.by.kernels, &a.weights, a.packed, &a.sums, a.load->n, &hinge);
}

downhill_status call_update_u8(const caller *by, workload *load)
{
    return update(by, load, false);
}

downhill_status call_update_normalised_u8(const caller *by, workload *load)
{
    return update(by, load, true);
}

/* ---- steps and epochs ---- */

static downhill_status step(const struct arguments *a, const downhill_sgd *sgd, const size_t *rows,
                            size_t n, size_t n_next)
{
    const downhill_batch_u8 batch = batch_of(a->load, rows, n, n_next);
    double loss;
    if (a->by.team != NULL)
        return team_step_u8(a->by.team, a->by.kernels, &batch, &a->weights, a->packed, sgd, &loss,
                            NULL);
    return a->by.library->step_u8(a->by.kernels, &batch, &a->weights, a->packed, sgd, &loss,
                                  &a->load->workspace, NULL);
}

downhill_status call_step_hinge_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    return status == DOWNHILL_OK ? step(&a, &hinge, NULL, a.load->n, 0) : status;
}

downhill_status call_step_softmax_u8(const caller *by, workload *load)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    return status == DOWNHILL_OK ? step(&a, &softmax, NULL, a.load->n, 0) : status;
}

static downhill_status epoch_step(const void *context, workload *load,
                                  const downhill_batch_f32 *batch)
{
    (void)load;
    return step(context, &hinge, batch->rows, batch->n, batch->n_next);
}

static downhill_status epoch(const caller *by, workload *load, const size_t *rows)
{
    struct arguments a;
    const downhill_status status = prepare(&a, by, load, false);
    return status == DOWNHILL_OK ? workload_epoch(load, rows, epoch_step, &a) : status;
}

downhill_status call_epoch_hinge_u8(const caller *by, workload *load)
{
    return epoch(by, load, load->in_order);
}

downhill_status call_epoch_hinge_shuffled_u8(const caller *by, workload *load)
{
    return epoch(by, load, load->shuffled);
}

/* ---- reading alone ---- */

/* Loads from every cache line of the rows of X, in the given order. No epoch can be faster. */
static downhill_status read_rows(const workload_u8 *l, const size_t *rows)
{
    enum { LINE = 64 };
    if (l->workspace.bytes == 0)
        return DOWNHILL_ERR_SIZE;
    for (size_t i = 0; i < l->n; i++) {
        const uint8_t *x = l->x + rows[i] * l->d;
        for (size_t k = 0; k < l->d; k += LINE)
            __asm__ volatile("" : : "r"(x[k]));
    }
    return DOWNHILL_OK;
}

downhill_status call_read_u8(const caller *by, workload *load)
{
    (void)by;
    return read_rows(&load->u8, load->in_order);
}

downhill_status call_read_shuffled_u8(const caller *by, workload *load)
{
    (void)by;
    return read_rows(&load->u8, load->shuffled);
}
