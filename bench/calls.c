/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include "base/levels.h"
#include "driver/packing.h"
#include "parallel/ordered.h"
#include "parallel/team.h"
#include "workload.h"

/* With learning rate 0, w = 1·w - 0·dw leaves the weights unchanged and costs as much as any other
 * step. So the weights, the scores and the share of violated margins are the same in every call,
 * for any order of the samples. */
static const downhill_sgd hinge = {.loss = {DOWNHILL_HINGE, 1.0f}},
                          perceptron = {.loss = {DOWNHILL_HINGE, 0.0f}},
                          softmax = {.loss = {DOWNHILL_SOFTMAX, 0.0f}};

/* ---- views of the buffers ---- */

static downhill_batch_f32 batch_f32(const workload *l, const int32_t *y)
{
    return (downhill_batch_f32){.x = l->x, .ldx = l->d, .x_rows = l->n, .y = y, .n = l->n};
}

static downhill_batch_bf16 batch_bf16(const workload *l)
{
    return (downhill_batch_bf16){.x = l->x_bf16, .ldx = l->d, .x_rows = l->n, .y = l->y, .n = l->n};
}

static downhill_matrix_f32 n_by_c(const workload *l, float *values)
{
    return (downhill_matrix_f32){values, l->c, l->n, l->c};
}

/* ---- parts of a step ---- */

downhill_status call_score_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    const downhill_matrix_f32 scores = n_by_c(l, l->scores);
    return by->library->score_f32(by->kernels, &batch, &l->weights, &scores);
}

downhill_status call_score_bf16(const caller *by, workload *l)
{
    const downhill_batch_bf16 batch = batch_bf16(l);
    const downhill_matrix_f32 scores = n_by_c(l, l->scores);
    return by->library->score_bf16(by->kernels, &batch, &l->weights, &scores);
}

downhill_status call_pack_f32(const caller *by, workload *l)
{
    downhill_pack_weights(by->kernels->packing_f32, &l->weights, l->packed);
    return DOWNHILL_OK;
}

downhill_status call_pack_bf16(const caller *by, workload *l)
{
    downhill_pack_weights(by->kernels->packing_bf16, &l->weights, l->packed);
    return DOWNHILL_OK;
}

downhill_status call_hinge_f32(const caller *by, workload *l)
{
    const downhill_matrix_f32 scores = n_by_c(l, l->loss_scores), dscores = n_by_c(l, l->dscores);
    double loss;
    return by->library->hinge_f32(by->kernels, &scores, l->y, hinge.loss.margin, &dscores, &loss);
}

downhill_status call_softmax_f32(const caller *by, workload *l)
{
    const downhill_matrix_f32 scores = n_by_c(l, l->loss_scores), dscores = n_by_c(l, l->dscores);
    double loss;
    return by->library->softmax_f32(by->kernels, &scores, l->y, &dscores, &loss);
}

downhill_status call_grad_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    const downhill_matrix_f32 dscores = n_by_c(l, l->grad_dscores);
    return by->library->grad_f32(by->kernels, &batch, &dscores, 0, &l->grad);
}

static downhill_status grad_bf16(const caller *by, workload *l, float *values)
{
    const downhill_batch_bf16 batch = batch_bf16(l);
    const downhill_matrix_f32 dscores = n_by_c(l, values);
    return by->library->grad_bf16(by->kernels, &batch, &dscores, 0, &l->grad);
}

downhill_status call_grad_bf16(const caller *by, workload *l)
{
    return grad_bf16(by, l, l->grad_dscores);
}

downhill_status call_grad_hinge_bf16(const caller *by, workload *l)
{
    return grad_bf16(by, l, l->hinge_dscores);
}

downhill_status call_update_f32(const caller *by, workload *l)
{
    return by->library->update_f32(by->kernels, &l->weights, &l->grad, l->n, &hinge);
}

/* ---- steps ---- */

static downhill_status step_f32(const caller *by, workload *l, const downhill_batch_f32 *batch,
                                const downhill_sgd *sgd)
{
    double loss;
    if (by->team != NULL)
        return team_step_f32(by->team, by->kernels, batch, &l->weights, sgd, &l->grad, &loss, NULL);
    return by->library->step_f32(by->kernels, batch, &l->weights, sgd, &l->grad, &loss,
                                 &l->workspace, NULL);
}

static downhill_status step_bf16(const caller *by, workload *l, const downhill_batch_bf16 *batch,
                                 const downhill_sgd *sgd)
{
    double loss;
    return by->library->step_bf16(by->kernels, batch, &l->weights, sgd, &l->grad, &loss,
                                  &l->workspace, NULL);
}

downhill_status call_step_hinge_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    return step_f32(by, l, &batch, &hinge);
}

downhill_status call_step_hinge_met50_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y_met50);
    return step_f32(by, l, &batch, &perceptron);
}

downhill_status call_step_hinge_met95_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y_met95);
    return step_f32(by, l, &batch, &perceptron);
}

downhill_status call_step_hinge_bf16(const caller *by, workload *l)
{
    const downhill_batch_bf16 batch = batch_bf16(l);
    return step_bf16(by, l, &batch, &hinge);
}

downhill_status call_chain_hinge_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    const downhill_matrix_f32 scores = n_by_c(l, l->scores);
    double loss;
    downhill_status status = by->library->score_f32(by->kernels, &batch, &l->weights, &scores);
    if (status == DOWNHILL_OK)
        status =
            by->library->hinge_f32(by->kernels, &scores, l->y, hinge.loss.margin, &scores, &loss);
    if (status == DOWNHILL_OK)
        status = by->library->grad_f32(by->kernels, &batch, &scores, 0, &l->grad);
    if (status == DOWNHILL_OK)
        status = by->library->update_f32(by->kernels, &l->weights, &l->grad, l->n, &hinge);
    return status;
}

/* A step whose sums are those of one thread. */
static downhill_status step_reproducible(const caller *by, workload *l,
                                         const downhill_batch_f32 *batch)
{
    double loss;
    struct ordered *o = by->team != NULL ? team_ordered(by->team) : NULL;
    if (o == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    return ordered_step_f32(o, by->kernels, batch, &l->weights, hinge.loss, &hinge, &l->grad, &loss,
                            NULL);
}

downhill_status call_step_hinge_reproducible_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    return step_reproducible(by, l, &batch);
}

downhill_status call_step_softmax_f32(const caller *by, workload *l)
{
    const downhill_batch_f32 batch = batch_f32(l, l->y);
    return step_f32(by, l, &batch, &softmax);
}

downhill_status call_step_softmax_bf16(const caller *by, workload *l)
{
    const downhill_batch_bf16 batch = batch_bf16(l);
    return step_bf16(by, l, &batch, &softmax);
}

/* ---- epochs ---- */

static downhill_status epoch_step_f32(const void *context, workload *l,
                                      const downhill_batch_f32 *batch)
{
    return step_f32(context, l, batch, &hinge);
}

static downhill_status epoch_step_bf16(const void *context, workload *l,
                                       const downhill_batch_f32 *batch)
{
    const downhill_batch_bf16 bf16 = {l->x_bf16,   batch->ldx, batch->x_rows, batch->y,
                                      batch->rows, batch->n,   batch->n_next};
    return step_bf16(context, l, &bf16, &hinge);
}

downhill_status call_epoch_hinge_f32(const caller *by, workload *l)
{
    return workload_epoch(l, l->in_order, epoch_step_f32, by);
}

downhill_status call_epoch_hinge_shuffled_f32(const caller *by, workload *l)
{
    return workload_epoch(l, l->shuffled, epoch_step_f32, by);
}

static downhill_status epoch_step_reproducible(const void *context, workload *l,
                                               const downhill_batch_f32 *batch)
{
    return step_reproducible(context, l, batch);
}

downhill_status call_epoch_hinge_shuffled_reproducible_f32(const caller *by, workload *l)
{
    return workload_epoch(l, l->shuffled, epoch_step_reproducible, by);
}

downhill_status call_epoch_hinge_bf16(const caller *by, workload *l)
{
    return workload_epoch(l, l->in_order, epoch_step_bf16, by);
}

bool call_exists(const downhill_kernels *k, bench_kernel kernel)
{
    if (kernel == BENCH_pack_f32)
        return k->packing_f32 != NULL;
    if (kernel == BENCH_pack_bf16)
        return k->packing_bf16 != NULL &&
               (k->packing_f32 == NULL || k->packing_bf16->pack != k->packing_f32->pack);
    return !bench_has_traits(kernel, BENCH_TRAIT_BASELINE) || levels_is_baseline(k->name);
}
