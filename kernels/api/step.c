/* SPDX-License-Identifier: MIT
 *
 * Loss and gradient of a batch in one pass, and the fused step, which updates the weights as well. */
#include "api/check.h"
#include "driver/batch_gradient.h"
#include "driver/batch_plan.h"
#include "driver/exact_sums.h"
#include "driver/step_one_u8.h"

/* ---- f32 and bf16 ---- */

static downhill_status check_step_f32(const downhill_kernels **kernels,
                                      const struct batch_view *batch,
                                      const downhill_weights_f32 *weights, downhill_loss loss,
                                      const downhill_gradient_f32 *grad,
                                      const downhill_workspace *workspace)
{
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_gradient(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    status =
        downhill_check_workspace(workspace, downhill_workspace_f32_bytes(weights->d, weights->c));
    return status != DOWNHILL_OK ? status : downhill_check_labels(batch, weights->c);
}

/* Runs a step on checked arguments. If factors is NULL, the weights are left unchanged. */
static void run_f32(const downhill_kernels *kernels, const struct batch_view *batch,
                    const downhill_weights_f32 *weights, downhill_loss loss,
                    const struct update_factors *factors, const downhill_gradient_f32 *grad,
                    double *loss_sum, const downhill_workspace *workspace,
                    struct phase_clock *clock)
{
    charge(clock, &clock->profile->gather_ns);
    const size_t d = weights->d, c = weights->c;
    const struct plan plan =
        downhill_batch_plan(kernels, batch, OPERATION_STEP, d, c, weights->ldw, grad->lddw);
    const struct workspace_f32 w = downhill_workspace_f32_in(workspace->memory, d, c);
    const struct pass pass = {kernels, batch, &plan, loss, .operands.f32 = {weights, grad, &w}};
    const double sum = downhill_batch_gradient(&pass, clock);
    if (factors != NULL) {
        downhill_weight_update(kernels, weights, grad, *factors, 1.0f);
        charge(clock, &clock->profile->update_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
}

static downhill_status loss_grad(const downhill_kernels *kernels, const struct batch_view *batch,
                                 const downhill_weights_f32 *weights, downhill_loss loss,
                                 const downhill_gradient_f32 *grad, double *loss_sum,
                                 const downhill_workspace *workspace, downhill_profile *profile)
{
    struct phase_clock clock;
    phase_clock_start(&clock, profile);
    const downhill_status status = check_step_f32(&kernels, batch, weights, loss, grad, workspace);
    if (status == DOWNHILL_OK)
        run_f32(kernels, batch, weights, loss, NULL, grad, loss_sum, workspace, &clock);
    return status;
}

static downhill_status step(const downhill_kernels *kernels, const struct batch_view *batch,
                            const downhill_weights_f32 *weights, const downhill_sgd *sgd,
                            const downhill_gradient_f32 *grad, double *loss_sum,
                            const downhill_workspace *workspace, downhill_profile *profile)
{
    struct phase_clock clock;
    struct update_factors factors;
    phase_clock_start(&clock, profile);
    downhill_status status;
    if (sgd == NULL)
        return DOWNHILL_ERR_NULL;
    if ((status = check_step_f32(&kernels, batch, weights, sgd->loss, grad, workspace)) !=
            DOWNHILL_OK ||
        (status = downhill_check_same_shape(weights, grad)) != DOWNHILL_OK ||
        (status = downhill_check_update(sgd, batch->n, &factors)) != DOWNHILL_OK)
        return status;
    run_f32(kernels, batch, weights, sgd->loss, &factors, grad, loss_sum, workspace, &clock);
    return DOWNHILL_OK;
}

downhill_status downhill_loss_grad_f32(const downhill_kernels *kernels,
                                       const downhill_batch_f32 *batch,
                                       const downhill_weights_f32 *weights, downhill_loss loss,
                                       const downhill_gradient_f32 *grad, double *loss_sum,
                                       const downhill_workspace *workspace,
                                       downhill_profile *profile)
{
    const struct batch_view view = view_f32(batch);
    return loss_grad(kernels, &view, weights, loss, grad, loss_sum, workspace, profile);
}

downhill_status downhill_loss_grad_bf16(const downhill_kernels *kernels,
                                        const downhill_batch_bf16 *batch,
                                        const downhill_weights_f32 *weights, downhill_loss loss,
                                        const downhill_gradient_f32 *grad, double *loss_sum,
                                        const downhill_workspace *workspace,
                                        downhill_profile *profile)
{
    const struct batch_view view = view_bf16(batch);
    return loss_grad(kernels, &view, weights, loss, grad, loss_sum, workspace, profile);
}

downhill_status downhill_step_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const downhill_weights_f32 *weights, const downhill_sgd *sgd,
                                  const downhill_gradient_f32 *grad, double *loss_sum,
                                  const downhill_workspace *workspace, downhill_profile *profile)
{
    const struct batch_view view = view_f32(batch);
    return step(kernels, &view, weights, sgd, grad, loss_sum, workspace, profile);
}

downhill_status downhill_step_bf16(const downhill_kernels *kernels,
                                   const downhill_batch_bf16 *batch,
                                   const downhill_weights_f32 *weights, const downhill_sgd *sgd,
                                   const downhill_gradient_f32 *grad, double *loss_sum,
                                   const downhill_workspace *workspace, downhill_profile *profile)
{
    const struct batch_view view = view_bf16(batch);
    return step(kernels, &view, weights, sgd, grad, loss_sum, workspace, profile);
}

/* ---- bytes ---- */

static downhill_status check_step_u8(const downhill_kernels **kernels,
                                     const struct batch_view *batch,
                                     const downhill_packed_u8 *packed, downhill_loss loss,
                                     const downhill_workspace *workspace)
{
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(*kernels, packed)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, p->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK ||
        (status = downhill_check_workspace(workspace, downhill_workspace_u8_bytes(p->d, p->c))) !=
            DOWNHILL_OK)
        return status;
    return downhill_check_labels(batch, p->c);
}

/* Computes loss and gradient of checked arguments, in 32 bits only if totals is NULL. */
static double run_u8(const downhill_kernels *kernels, const struct batch_view *batch,
                     const struct packed_u8 *packed, downhill_loss loss,
                     const downhill_gradient_u8 *grad, const downhill_gradient_f64 *totals,
                     const struct workspace_u8 *workspace, struct phase_clock *clock)
{
    const struct plan plan =
        downhill_batch_plan(kernels, batch, OPERATION_STEP, packed->d, packed->c, 0, 0);
    const struct pass pass = {kernels, batch, &plan, loss,
                              .operands.u8 = {packed, grad, totals, workspace}};
    return downhill_batch_gradient(&pass, clock);
}

/* Computes loss and gradient, in 32 bits if totals is NULL, else in f64. */
static downhill_status loss_grad_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                    const downhill_packed_u8 *packed, downhill_loss loss,
                                    const downhill_gradient_u8 *grad,
                                    const downhill_gradient_f64 *totals, double *loss_sum,
                                    const downhill_workspace *workspace, downhill_profile *profile)
{
    struct phase_clock clock;
    phase_clock_start(&clock, profile);
    const struct batch_view view = view_u8(batch);
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = check_step_u8(&kernels, &view, packed, loss, workspace)) != DOWNHILL_OK)
        return status;
    const size_t d = totals != NULL ? totals->d : grad->d, c = totals != NULL ? totals->c : grad->c;
    if (d != p->d || c != p->c)
        return DOWNHILL_ERR_SIZE;
    if (totals == NULL && view.n > downhill_samples_of_sums(loss, p->c))
        return DOWNHILL_ERR_RANGE;
    const struct workspace_u8 w = downhill_workspace_u8_in(workspace->memory, p->d, p->c);
    const double sum =
        run_u8(kernels, &view, p, loss, totals != NULL ? &w.sums : grad, totals, &w, &clock);
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}

downhill_status downhill_loss_grad_u8(const downhill_kernels *kernels,
                                      const downhill_batch_u8 *batch,
                                      const downhill_packed_u8 *packed, downhill_loss loss,
                                      const downhill_gradient_u8 *grad, double *loss_sum,
                                      const downhill_workspace *workspace,
                                      downhill_profile *profile)
{
    const downhill_status status = downhill_check_gradient_u8(grad);
    return status != DOWNHILL_OK ? status
                                 : loss_grad_u8(kernels, batch, packed, loss, grad, NULL, loss_sum,
                                                workspace, profile);
}

downhill_status downhill_loss_grad_u8_f64(const downhill_kernels *kernels,
                                          const downhill_batch_u8 *batch,
                                          const downhill_packed_u8 *packed, downhill_loss loss,
                                          const downhill_gradient_f64 *grad, double *loss_sum,
                                          const downhill_workspace *workspace,
                                          downhill_profile *profile)
{
    const downhill_status status = downhill_check_gradient_f64(grad);
    return status != DOWNHILL_OK ? status
                                 : loss_grad_u8(kernels, batch, packed, loss, NULL, grad, loss_sum,
                                                workspace, profile);
}

downhill_status downhill_step_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                 const downhill_weights_f32 *weights, downhill_packed_u8 *packed,
                                 const downhill_sgd *sgd, double *loss_sum,
                                 const downhill_workspace *workspace, downhill_profile *profile)
{
    struct phase_clock clock;
    struct update_factors factors;
    phase_clock_start(&clock, profile);
    const struct batch_view view = view_u8(batch);
    struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if (sgd == NULL)
        return DOWNHILL_ERR_NULL;
    if ((status = check_step_u8(&kernels, &view, packed, sgd->loss, workspace)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_update_u8(sgd, view.n, &factors)) != DOWNHILL_OK)
        return status;
    if (weights->d != p->d || weights->c != p->c)
        return DOWNHILL_ERR_PACKED;
    const struct workspace_u8 w = downhill_workspace_u8_in(workspace->memory, p->d, p->c);
    double sum;
    if (view.n == 1) {
        sum = downhill_step_one_u8(kernels, &view, weights, p, sgd->loss, factors, &w, &clock);
    } else {
        /* NULL where 32 bits hold the sums. */
        const downhill_gradient_f64 *totals =
            view.n <= downhill_samples_of_sums(sgd->loss, p->c) ? NULL : &w.totals;
        sum = run_u8(kernels, &view, p, sgd->loss, &w.sums, totals, &w, &clock);
        if (totals == NULL)
            downhill_update_packed_u8(weights, &w.sums, factors, p);
        else
            downhill_update_packed_u8_by_f64(weights, totals, factors, p);
        charge(&clock, &clock.profile->update_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}
