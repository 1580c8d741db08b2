/* SPDX-License-Identifier: MIT
 *
 * The single kernels as public functions: arguments checked, then block by block. */
#include "driver/blocking.h"

#include <string.h>

void downhill_bf16_from_f32(size_t count, const float *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16;
        /* A quiet NaN, whose payload might otherwise be rounded away or into an infinity. */
        to[i] = (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16 | 0x40u) : rounded);
    }
}

static downhill_status score(const downhill_kernels *kernels, const struct samples *batch,
                             const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof(float), scores, batch->n, weights->c, lds)) !=
            DOWNHILL_OK)
        return status;

    const struct downhill_packed_score *how =
        packed_score(kernels, batch->element, batch->n, weights->d, weights->ldw, is_far(batch));
    const size_t most = how != NULL ? BLOCK_ROWS_MAX : block_rows(batch, weights->d);
    struct walk walk;
    for (downhill_walk_begin(&walk, batch, weights->d, most, 2); walk.block->n > 0;
         downhill_walk_next(&walk))
        downhill_block_score(kernels, walk.block, weights, how, NULL, scores + walk.first * lds,
                             lds, &walk.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_score_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    const struct samples samples = without_labels(samples_f32(batch));
    return score(kernels, &samples, weights, scores, lds);
}

downhill_status downhill_score_bf16(const downhill_kernels *kernels,
                                    const downhill_batch_bf16 *batch,
                                    const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    const struct samples samples = without_labels(samples_bf16(batch));
    return score(kernels, &samples, weights, scores, lds);
}

/* The two losses differ in the kernel that is called for each block. */
static downhill_status loss_of_scores(const downhill_kernels *kernels, downhill_loss loss, size_t n,
                                      size_t c, const float *scores, size_t lds, const int32_t *y,
                                      float *dscores, size_t ldds, double *sum)
{
    const struct samples labels = {.y = y, .n = n};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof(float), scores, n, c, lds)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof(float), dscores, n, c, ldds)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (sum == NULL)
        return DOWNHILL_ERR_NULL;
    if (c > INT32_MAX)
        return DOWNHILL_ERR_SIZE;
    if (scores == dscores && lds != ldds)
        return DOWNHILL_ERR_LD;
    if ((status = downhill_check_labels(&labels, c)) != DOWNHILL_OK)
        return status;

    double total = 0.0;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        total += loss.kind == DOWNHILL_HINGE
                     ? kernels->hinge_f32(rows, c, s, lds, y + i, loss.delta, ds, ldds)
                     : kernels->softmax_f32(rows, c, s, lds, y + i, ds, ldds);
    }
    *sum = total;
    return DOWNHILL_OK;
}

downhill_status downhill_hinge_f32(const downhill_kernels *kernels, size_t n, size_t c,
                                   const float *scores, size_t lds, const int32_t *y, float delta,
                                   float *dscores, size_t ldds, double *loss)
{
    const downhill_loss hinge = {DOWNHILL_HINGE, delta};
    return loss_of_scores(kernels, hinge, n, c, scores, lds, y, dscores, ldds, loss);
}

downhill_status downhill_softmax_f32(const downhill_kernels *kernels, size_t n, size_t c,
                                     const float *scores, size_t lds, const int32_t *y,
                                     float *dscores, size_t ldds, double *loss)
{
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f};
    return loss_of_scores(kernels, softmax, n, c, scores, lds, y, dscores, ldds, loss);
}

static downhill_status gradient(const downhill_kernels *kernels, const struct samples *batch,
                                const float *dscores, size_t ldds, int accumulate,
                                const downhill_weights_f32 *grad)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, grad->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof(float), dscores, batch->n, grad->c, ldds)) !=
            DOWNHILL_OK)
        return status;

    const size_t most = is_far(batch) ? block_rows(batch, grad->d) : BLOCK_ROWS_MAX;
    struct walk walk;
    for (downhill_walk_begin(&walk, batch, grad->d, most, 2); walk.block->n > 0;
         downhill_walk_next(&walk))
        downhill_block_grad(kernels, walk.block, dscores + walk.first * ldds, ldds,
                            GRAD_X_FAR | (accumulate || walk.first > 0 ? GRAD_ACCUMULATE : 0u),
                            grad, &walk.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_grad_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const float *dscores, size_t ldds, int accumulate,
                                  const downhill_weights_f32 *grad)
{
    const struct samples samples = without_labels(samples_f32(batch));
    return gradient(kernels, &samples, dscores, ldds, accumulate, grad);
}

downhill_status downhill_grad_bf16(const downhill_kernels *kernels,
                                   const downhill_batch_bf16 *batch, const float *dscores,
                                   size_t ldds, int accumulate, const downhill_weights_f32 *grad)
{
    const struct samples samples = without_labels(samples_bf16(batch));
    return gradient(kernels, &samples, dscores, ldds, accumulate, grad);
}

downhill_status downhill_update_f32(const downhill_kernels *kernels,
                                    const downhill_weights_f32 *weights,
                                    const downhill_weights_f32 *grad, float decay, float step)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_update(weights, grad, decay, step)) != DOWNHILL_OK)
        return status;
    downhill_update_checked(kernels, weights, grad, decay, step);
    return DOWNHILL_OK;
}
