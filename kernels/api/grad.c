/* SPDX-License-Identifier: MIT
 *
 * Gradients with respect to the weights. */
#include "api/check.h"
#include "driver/batch_plan.h"
#include "driver/block_grad.h"

static downhill_status gradient(const downhill_kernels *kernels, const struct batch_view *batch,
                                const downhill_matrix_f32 *dscores, int accumulate,
                                const downhill_gradient_f32 *grad)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_gradient(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, grad->d)) != DOWNHILL_OK ||
        (status = check_matrix_f32(dscores, batch->n, grad->c)) != DOWNHILL_OK)
        return status;
    const struct plan plan =
        downhill_batch_plan(kernels, batch, OPERATION_GRAD, grad->d, grad->c, 0, grad->lddw);
    struct block_iterator blocks;
    for (downhill_block_first(&blocks, batch, &plan); blocks.block->n > 0;
         downhill_block_next(&blocks))
        downhill_block_grad(kernels, &plan, blocks.block,
                            dscores->data + blocks.first * dscores->ld, dscores->ld,
                            accumulate || blocks.first > 0, grad, &blocks.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_grad_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const downhill_matrix_f32 *dscores, int accumulate,
                                  const downhill_gradient_f32 *grad)
{
    const struct batch_view view = without_labels(view_f32(batch));
    return gradient(kernels, &view, dscores, accumulate, grad);
}

downhill_status downhill_grad_bf16(const downhill_kernels *kernels,
                                   const downhill_batch_bf16 *batch,
                                   const downhill_matrix_f32 *dscores, int accumulate,
                                   const downhill_gradient_f32 *grad)
{
    const struct batch_view view = without_labels(view_bf16(batch));
    return gradient(kernels, &view, dscores, accumulate, grad);
}

/* Checks that 255·Σ_i |g_ij| is below 2³¹ for every class. */
static downhill_status check_range(const downhill_matrix_i16 *dscores)
{
    const size_t n = dscores->rows, c = dscores->columns;
    enum { CLASSES = 64, N_SAFE = DOWNHILL_U8_NC_MAX / -INT16_MIN };
    for (size_t j = 0; n > N_SAFE && j < c; j += CLASSES) {
        const size_t classes = c - j < CLASSES ? c - j : CLASSES;
        uint64_t sums[CLASSES] = {0};
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < classes; l++) {
                const int g = dscores->data[i * dscores->ld + j + l];
                sums[l] += (uint64_t)(g < 0 ? -g : g);
            }
        for (size_t l = 0; l < classes; l++)
            if (sums[l] > DOWNHILL_U8_NC_MAX)
                return DOWNHILL_ERR_RANGE;
    }
    return DOWNHILL_OK;
}

/* Returns whether more dscores than one per sample are too large to be multiplied as bytes on every level: the hinge loss
 * has at most one. */
static int are_wide(size_t n, size_t c, const int16_t *dscores, size_t ldds)
{
    enum { MAX = 64 };
    size_t large = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            large += dscores[i * ldds + j] > MAX || dscores[i * ldds + j] < -MAX;
    return large > n;
}

downhill_status downhill_grad_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                 const downhill_matrix_i16 *dscores, int accumulate,
                                 const downhill_gradient_u8 *grad)
{
    const struct batch_view view = without_labels(view_u8(batch));
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_gradient_u8(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(&view, grad->d)) != DOWNHILL_OK ||
        (status = check_matrix_i16(dscores, view.n, grad->c)) != DOWNHILL_OK ||
        (status = check_range(dscores)) != DOWNHILL_OK)
        return status;
    const struct plan plan =
        downhill_batch_plan(kernels, &view, OPERATION_GRAD, grad->d, grad->c, 0, 0);
    struct block_iterator blocks;
    for (downhill_block_first(&blocks, &view, &plan); blocks.block->n > 0;
         downhill_block_next(&blocks)) {
        const int16_t *ds = dscores->data + blocks.first * dscores->ld;
        downhill_block_grad_u8(kernels, &plan, blocks.block,
                               are_wide(blocks.block->n, grad->c, ds, dscores->ld), ds, dscores->ld,
                               accumulate || blocks.first > 0, grad);
    }
    return DOWNHILL_OK;
}
