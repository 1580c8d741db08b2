/* SPDX-License-Identifier: MIT */
#include "driver/block_grad.h"

#include "simd/tiles.h"

#include <string.h>

/* Clears the gradient of a block whose samples are all satisfied. */
static void clear_f32(const downhill_gradient_f32 *grad)
{
    for (size_t j = 0; j < grad->c; j++)
        memset(grad->dw + j * grad->lddw, 0, grad->d * sizeof *grad->dw);
    if (grad->db != NULL)
        memset(grad->db, 0, grad->c * sizeof *grad->db);
}

static void clear_u8(const downhill_gradient_u8 *grad)
{
    for (size_t j = 0; j < grad->c; j++)
        memset(grad->dw + j * grad->lddw, 0, grad->d * sizeof *grad->dw);
    memset(grad->db, 0, grad->c * sizeof *grad->db);
}

static void add_panel(const float *panel, size_t d, size_t c, int accumulate, float *dw,
                      size_t lddw)
{
    for (size_t j = 0; j < c; j++) {
        const float *from = panel + j * PANEL_LD;
        float *to = dw + j * lddw;
        if (!accumulate)
            memcpy(to, from, d * sizeof *to);
        else
            for (size_t k = 0; k < d; k++)
                to[k] += from[k];
    }
}

void downhill_block_grad(const downhill_kernels *kernels, const struct plan *plan,
                         const struct block *block, const float *dscores, size_t ldds,
                         int accumulate, const downhill_gradient_f32 *grad,
                         struct prefetch *prefetch)
{
    const size_t n = block->n, lddw = grad->lddw;
    if (n == 0) {
        if (!accumulate)
            clear_f32(grad);
        return;
    }
    downhill_grad_kernel *kernel =
        block->element == ELEMENT_F32 ? kernels->grad_f32 : kernels->grad_bf16;
    const struct grad_plan grad_plan = downhill_plan_grad(plan, n);
    const void *x[BLOCK_ROWS_MAX + ROWS_PAST_END];
    for (size_t k = 0, features; k < grad->d; k += features) {
        features = grad->d - k < grad_plan.features ? grad->d - k : grad_plan.features;
        rows_at(block, k, x);
        for (size_t i = n; i < n + ROWS_PAST_END; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < grad->c; j += classes) {
            classes = next_tile(grad->c - j, grad_plan.classes);
            float *dw = grad->dw + j * lddw + k;
            if (grad_plan.direct) {
                kernel(n, features, classes, x, dscores + j, ldds,
                       grad_plan.flags | (accumulate ? GRAD_ACCUMULATE : 0u), dw, lddw, prefetch);
            } else {
                _Alignas(64) float panel[PANEL_CLASSES * PANEL_LD];
                kernel(n, features, classes, x, dscores + j, ldds, grad_plan.flags, panel, PANEL_LD,
                       prefetch);
                add_panel(panel, features, classes, accumulate, dw, lddw);
            }
        }
    }
    if (grad->db == NULL)
        return;
    if (!accumulate)
        memset(grad->db, 0, grad->c * sizeof *grad->db);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < grad->c; j++)
            grad->db[j] += dscores[i * ldds + j];
}

/* Copies the dscores of a panel of classes, with zeros after the last sample and the last class. */
static void copy_panel(size_t n, size_t c, const int16_t *dscores, size_t ldds, downhill_dscores to)
{
    memset(to, 0, (n + U8_ROWS_PAST_END) * sizeof to[0]);
    for (size_t i = 0; i < n; i++)
        memcpy(to[i], dscores + i * ldds, c * sizeof *dscores);
}

void downhill_block_grad_u8(const downhill_kernels *kernels, const struct plan *plan,
                            const struct block *block, const int16_t *dscores, size_t ldds,
                            int accumulate, const downhill_gradient_u8 *grad,
                            struct prefetch *prefetch)
{
    const size_t n = block->n, d = grad->d, c = grad->c;
    if (n == 0) {
        if (!accumulate)
            clear_u8(grad);
        return;
    }
    const struct grad_plan grad_plan = downhill_plan_grad(plan, n);
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
    _Alignas(64) downhill_dscores panel;
    for (size_t k = 0, features; k < d; k += features) {
        features = d - k < grad_plan.features ? d - k : grad_plan.features;
        rows_at(block, k, x);
        for (size_t i = n; i < n + U8_ROWS_PAST_END; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, grad_plan.classes);
            copy_panel(n, classes, dscores + j, ldds, panel);
            kernels->u8->grad(n, features, classes, x, panel,
                              grad_plan.flags | (accumulate ? GRAD_ACCUMULATE : 0u),
                              grad->dw + j * grad->lddw + k, grad->lddw, prefetch);
        }
    }
    if (!accumulate)
        memset(grad->db, 0, c * sizeof *grad->db);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            grad->db[j] = wrapped_sum(grad->db[j], dscores[i * ldds + j]);
}
