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

static void copy_panel_f32(size_t d, size_t c, const float *from, size_t ld_from, float *to,
                           size_t ld_to)
{
    for (size_t j = 0; j < c; j++)
        memcpy(to + j * ld_to, from + j * ld_from, d * sizeof *to);
}

/* dWᵀ = Xᵀ dscores: the rows of dscores take the place of the samples, and a copy of X that of the dscores, so that the
 * classes are along the lanes. An element of dW is the same chain of FMAs. */
static void grad_transposed(const downhill_kernels *kernels, const struct block *block, size_t d,
                            size_t classes, const float *dscores, size_t ldds, int accumulate,
                            float *dw, size_t lddw)
{
    _Alignas(64) float panel[TRANSPOSED_FEATURES * TRANSPOSED_CLASSES];
    float x[BLOCK_ROWS_MAX * TRANSPOSED_FEATURES];
    const void *rows[BLOCK_ROWS_MAX + ROWS_PAST_END];
    for (size_t i = 0; i < block->n + ROWS_PAST_END; i++)
        rows[i] = dscores + (i < block->n ? i : block->n - 1) * ldds;
    for (size_t i = 0; i < block->n; i++)
        for (size_t k = 0; k < d; k++)
            x[i * d + k] = ((const float *)block->x[i])[k];
    for (size_t j = 0; accumulate && j < classes; j++)
        for (size_t k = 0; k < d; k++)
            panel[k * classes + j] = dw[j * lddw + k];
    struct prefetch none = prefetch_of(NULL, 0, 0, 1);
    kernels->grad_f32(block->n, classes, d, rows, x, d, accumulate ? GRAD_ACCUMULATE : 0u, panel,
                      classes, &none);
    for (size_t j = 0; j < classes; j++)
        for (size_t k = 0; k < d; k++)
            dw[j * lddw + k] = panel[k * classes + j];
}

static downhill_grad_kernel *kernel_of(const downhill_kernels *kernels, enum grad_method method,
                                       enum element element)
{
    const int is_f32 = element == ELEMENT_F32;
    switch (method) {
    case GRAD_ROWS:
        return is_f32 ? kernels->grad_rows_f32 : kernels->grad_rows_bf16;
    case GRAD_COLUMNS:
        return is_f32 ? kernels->grad_columns_f32 : kernels->grad_columns_bf16;
    default:
        return is_f32 ? kernels->grad_f32 : kernels->grad_bf16;
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
    const struct grad_plan grad_plan = downhill_plan_grad(plan, n);
    downhill_grad_kernel *kernel = kernel_of(kernels, grad_plan.method, block->element);
    const unsigned first_flags = grad_plan.flags | (accumulate ? GRAD_ACCUMULATE : 0u),
                   prefetches_x = GRAD_PREFETCH_X | GRAD_PREFETCH_X_L1;
    const void *x[BLOCK_ROWS_MAX + ROWS_PAST_END];
    for (size_t k = 0, features; k < grad->d; k += features) {
        features = grad->d - k < grad_plan.features ? grad->d - k : grad_plan.features;
        rows_at(block->element, n, block->x, k, x);
        for (size_t i = n; i < n + ROWS_PAST_END; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < grad->c; j += classes) {
            classes = next_tile(grad->c - j, grad_plan.classes);
            float *dw = grad->dw + j * lddw + k;
            /* The first classes have brought these features to L1 or L2. */
            const unsigned flags = j == 0 ? first_flags : first_flags & ~prefetches_x;
            if (grad_plan.method == GRAD_TRANSPOSED) {
                grad_transposed(kernels, block, features, classes, dscores + j, ldds, accumulate,
                                dw, lddw);
            } else if (grad_plan.method != GRAD_PANEL) {
                kernel(n, features, classes, x, dscores + j, ldds, flags, dw, lddw, prefetch);
            } else {
                _Alignas(64) float panel[PANEL_CLASSES * PANEL_LD];
                /* The sums go on from dW, so that the order of a sum does not depend on the panel. */
                if (accumulate)
                    copy_panel_f32(features, classes, dw, lddw, panel, PANEL_LD);
                kernel(n, features, classes, x, dscores + j, ldds, flags, panel, PANEL_LD,
                       prefetch);
                copy_panel_f32(features, classes, panel, PANEL_LD, dw, lddw);
            }
        }
    }
    if (grad->db == NULL)
        return;
    if (!accumulate)
        memset(grad->db, 0, grad->c * sizeof *grad->db);
    kernels->grad_bias_f32(n, grad->c, dscores, ldds, grad->db);
}

void downhill_block_grad_u8(const downhill_kernels *kernels, const struct plan *plan,
                            const struct block *block, int wide, const int16_t *dscores,
                            size_t ldds, int accumulate, const downhill_gradient_u8 *grad)
{
    const size_t n = block->n, d = grad->d, c = grad->c;
    if (n == 0) {
        if (!accumulate)
            clear_u8(grad);
        return;
    }
    downhill_grad_u8_kernel *kernel = wide ? kernels->u8->grad_wide : kernels->u8->grad;
    const struct grad_plan grad_plan = downhill_plan_grad(plan, n);
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
    if (!accumulate)
        memset(grad->db, 0, c * sizeof *grad->db);
    for (size_t k = 0, features; k < d; k += features) {
        features = d - k < grad_plan.features ? d - k : grad_plan.features;
        rows_at(block->element, n, block->x, k, x);
        for (size_t i = n; i < n + U8_ROWS_PAST_END; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, grad_plan.classes);
            /* The first classes have brought these features to L1 or L2. */
            const unsigned flags = j == 0 ? grad_plan.flags : 0;
            kernel(n, features, classes, x, dscores + j, ldds,
                   flags | (accumulate ? GRAD_ACCUMULATE : 0u), grad->dw + j * grad->lddw + k,
                   grad->lddw, k == 0 ? grad->db + j : NULL);
        }
    }
}
