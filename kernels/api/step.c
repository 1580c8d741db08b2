/* SPDX-License-Identifier: MIT
 *
 * Loss and gradient of a batch in one pass, and the fused step, which updates the weights as well. */
#define _POSIX_C_SOURCE 199309L
#include "api/check.h"
#include "driver/batch_gradient.h"
#include "driver/block_loss.h"
#include "driver/block_score.h"
#include "driver/weight_update.h"

/* Factors of the update, if one follows the gradient. */
struct update {
    float decay, step;
};

static struct plan step_plan(const downhill_kernels *kernels, const struct batch_view *batch,
                             size_t d, size_t c, size_t ldw, size_t lddw)
{
    const struct plan_shape shape = {.operation = OPERATION_STEP,
                                     .element = batch->element,
                                     .n = batch->n,
                                     .d = d,
                                     .c = c,
                                     .x_bytes = matrix_bytes(batch),
                                     .ldw = ldw,
                                     .lddw = lddw};
    return downhill_make_plan(kernels, &shape);
}

/* ---- f32 and bf16 ---- */

static downhill_status check_f32(const downhill_kernels **kernels, const struct batch_view *batch,
                                 const downhill_weights_f32 *weights, downhill_loss loss,
                                 const downhill_weights_f32 *grad, const void *workspace,
                                 size_t workspace_bytes)
{
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    status = downhill_check_workspace(workspace, workspace_bytes,
                                      downhill_workspace_f32(weights->d, weights->c));
    return status != DOWNHILL_OK ? status : downhill_check_labels(batch, weights->c);
}

/* update: NULL if there is none. */
static downhill_status run_f32(const downhill_kernels *kernels, const struct batch_view *batch,
                               const downhill_weights_f32 *weights, downhill_loss loss,
                               const struct update *update, const downhill_weights_f32 *grad,
                               double *loss_sum, void *workspace, size_t workspace_bytes,
                               downhill_profile *profile)
{
    struct phase_clock clock;
    phase_clock_start(&clock, profile);
    downhill_status status;
    if ((status = check_f32(&kernels, batch, weights, loss, grad, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (update != NULL && (status = downhill_check_update(weights, grad, update->decay,
                                                           update->step)) != DOWNHILL_OK))
        return status;
    charge(&clock, &clock.profile->gather_ns);
    const size_t d = weights->d, c = weights->c;
    const struct plan plan = step_plan(kernels, batch, d, c, weights->ldw, grad->ldw);
    const struct pass pass = {
        kernels, batch, &plan, loss,
        .of.f32 = {weights, grad, downhill_workspace_f32_in(workspace, d, c)}};
    const double sum = downhill_batch_gradient(&pass, &clock);
    if (update != NULL) {
        downhill_weight_update(kernels, weights, grad, update->decay, update->step);
        charge(&clock, &clock.profile->update_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}

downhill_status downhill_loss_grad_f32(const downhill_kernels *kernels,
                                       const downhill_batch_f32 *batch,
                                       const downhill_weights_f32 *weights, downhill_loss loss,
                                       const downhill_weights_f32 *grad, double *loss_sum,
                                       void *workspace, size_t workspace_bytes,
                                       downhill_profile *profile)
{
    const struct batch_view view = view_f32(batch);
    return run_f32(kernels, &view, weights, loss, NULL, grad, loss_sum, workspace, workspace_bytes,
                   profile);
}

downhill_status downhill_loss_grad_bf16(const downhill_kernels *kernels,
                                        const downhill_batch_bf16 *batch,
                                        const downhill_weights_f32 *weights, downhill_loss loss,
                                        const downhill_weights_f32 *grad, double *loss_sum,
                                        void *workspace, size_t workspace_bytes,
                                        downhill_profile *profile)
{
    const struct batch_view view = view_bf16(batch);
    return run_f32(kernels, &view, weights, loss, NULL, grad, loss_sum, workspace, workspace_bytes,
                   profile);
}

downhill_status downhill_step_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const downhill_weights_f32 *weights, downhill_loss loss,
                                  float decay, float step, const downhill_weights_f32 *grad,
                                  double *loss_sum, void *workspace, size_t workspace_bytes,
                                  downhill_profile *profile)
{
    const struct batch_view view = view_f32(batch);
    const struct update update = {decay, step};
    return run_f32(kernels, &view, weights, loss, &update, grad, loss_sum, workspace,
                   workspace_bytes, profile);
}

downhill_status downhill_step_bf16(const downhill_kernels *kernels,
                                   const downhill_batch_bf16 *batch,
                                   const downhill_weights_f32 *weights, downhill_loss loss,
                                   float decay, float step, const downhill_weights_f32 *grad,
                                   double *loss_sum, void *workspace, size_t workspace_bytes,
                                   downhill_profile *profile)
{
    const struct batch_view view = view_bf16(batch);
    const struct update update = {decay, step};
    return run_f32(kernels, &view, weights, loss, &update, grad, loss_sum, workspace,
                   workspace_bytes, profile);
}

/* ---- bytes ---- */

static downhill_status check_u8(const downhill_kernels **kernels, const struct batch_view *batch,
                                const void *packed, float delta, const void *workspace,
                                size_t workspace_bytes)
{
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    const downhill_loss hinge = {DOWNHILL_HINGE, delta};
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(*kernels, packed)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, p->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss(hinge)) != DOWNHILL_OK ||
        (status = downhill_check_workspace(workspace, workspace_bytes,
                                           downhill_workspace_u8(p->d, p->c))) != DOWNHILL_OK)
        return status;
    if (p->c - 1 > DOWNHILL_U8_NC_MAX / batch->n)
        return DOWNHILL_ERR_RANGE;
    return downhill_check_labels(batch, p->c);
}

/* Loss and gradient of a checked batch. */
static double loss_grad_u8(const downhill_kernels *kernels, const struct batch_view *batch,
                           const struct packed_u8 *packed, float delta,
                           const downhill_sums_u8 *sums, const struct workspace_u8 *workspace,
                           struct phase_clock *clock)
{
    const struct plan plan = step_plan(kernels, batch, packed->d, packed->c, 0, 0);
    const struct pass pass = {
        kernels, batch, &plan, {DOWNHILL_HINGE, delta}, .of.u8 = {packed, sums, *workspace}};
    return downhill_batch_gradient(&pass, clock);
}

downhill_status downhill_loss_grad_u8(const downhill_kernels *kernels,
                                      const downhill_batch_u8 *batch, const void *packed,
                                      float delta, const downhill_sums_u8 *sums, double *loss_sum,
                                      void *workspace, size_t workspace_bytes,
                                      downhill_profile *profile)
{
    struct phase_clock clock;
    phase_clock_start(&clock, profile);
    const struct batch_view view = view_u8(batch);
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = check_u8(&kernels, &view, packed, delta, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (status = downhill_check_sums_u8(sums)) != DOWNHILL_OK)
        return status;
    if (sums->d != p->d || sums->c != p->c)
        return DOWNHILL_ERR_SIZE;
    const struct workspace_u8 w = downhill_workspace_u8_in(workspace, p->d, p->c);
    const double sum = loss_grad_u8(kernels, &view, p, delta, sums, &w, &clock);
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}

/* A step on one sample is bound by the passes over W. Its gradient makes none of its own: the update multiplies the
 * sample by the dscores. */
static double step_of_one(const downhill_kernels *kernels, const struct batch_view *batch,
                          const downhill_weights_f32 *weights, float delta, struct update update,
                          const struct workspace_u8 *w, struct packed_u8 *packed,
                          struct phase_clock *clock)
{
    const size_t c = packed->c;
    const struct plan plan = step_plan(kernels, batch, packed->d, c, 0, 0);
    struct block_iterator blocks;
    downhill_block_first(&blocks, batch, &plan);
    charge(clock, &clock->profile->gather_ns);
    downhill_block_score_u8(packed, blocks.block, w->scores, w->lds, &blocks.prefetch);
    charge(clock, &clock->profile->score_ns);
    const double loss = downhill_block_loss_u8(kernels, blocks.block, c, delta, w->scores, w->lds,
                                               w->dscores, w->ldds);
    charge(clock, &clock->profile->loss_ns);
    downhill_update_packed_u8_by_one(weights, blocks.block->x[0], w->dscores, update.decay,
                                     update.step, w->sums.w, packed);
    charge(clock, &clock->profile->update_ns);
    return loss;
}

downhill_status downhill_step_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                 const downhill_weights_f32 *weights, float delta, float decay,
                                 float step, double *loss_sum, void *packed, void *workspace,
                                 size_t workspace_bytes, downhill_profile *profile)
{
    struct phase_clock clock;
    phase_clock_start(&clock, profile);
    const struct batch_view view = view_u8(batch);
    struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = check_u8(&kernels, &view, packed, delta, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_update_u8(weights, p, decay, step)) != DOWNHILL_OK)
        return status;
    const struct workspace_u8 w = downhill_workspace_u8_in(workspace, p->d, p->c);
    double sum;
    if (view.n == 1) {
        const struct update update = {decay, step};
        sum = step_of_one(kernels, &view, weights, delta, update, &w, p, &clock);
    } else {
        sum = loss_grad_u8(kernels, &view, p, delta, &w.sums, &w, &clock);
        downhill_update_packed_u8(weights, &w.sums, decay, step, p);
        charge(&clock, &clock.profile->update_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}
