/* SPDX-License-Identifier: MIT
 *
 * The single kernels for bytes as public functions: arguments checked, then block by block. */
#include "driver/packed_u8.h"

#include <math.h>

downhill_status downhill_score_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                  const void *packed, double *scores, size_t lds)
{
    const struct samples samples = without_labels(samples_u8(batch));
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if (packed == NULL)
        return DOWNHILL_ERR_NULL;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(kernels, p)) != DOWNHILL_OK ||
        (status = downhill_check_batch(&samples, p->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof *scores, scores, samples.n, p->c, lds)) !=
            DOWNHILL_OK)
        return status;
    struct walk walk;
    for (downhill_walk_begin(&walk, &samples, p->d, block_rows(&samples, p->d), 2);
         walk.block->n > 0; downhill_walk_next(&walk))
        downhill_block_score_u8(p, walk.block, scores + walk.first * lds, lds, &walk.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_hinge_u8(const downhill_kernels *kernels, size_t n, size_t c,
                                  const double *scores, size_t lds, const int32_t *y, float delta,
                                  int16_t *dscores, size_t ldds, double *loss)
{
    const struct samples labels = {.y = y, .n = n};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof *scores, scores, n, c, lds)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof *dscores, dscores, n, c, ldds)) != DOWNHILL_OK ||
        (status = downhill_check_loss((downhill_loss){DOWNHILL_HINGE, delta})) != DOWNHILL_OK)
        return status;
    if (loss == NULL)
        return DOWNHILL_ERR_NULL;
    if (c > DOWNHILL_U8_C_MAX)
        return DOWNHILL_ERR_SIZE;
    if ((status = downhill_check_labels(&labels, c)) != DOWNHILL_OK)
        return status;
    double units = 0.0;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        units += kernels->u8->hinge(rows, c, scores + i * lds, lds, y + i, (double)delta,
                                    dscores + i * ldds, ldds);
    }
    *loss = units * DOWNHILL_LOSS_UNIT;
    return DOWNHILL_OK;
}

/* That 255·Σ_i |g_ij| is below 2³¹ for every class. */
static downhill_status check_range(size_t n, size_t c, const int16_t *dscores, size_t ldds)
{
    enum { CLASSES = 64, N_SAFE = DOWNHILL_U8_NC_MAX / -INT16_MIN };
    for (size_t j = 0; n > N_SAFE && j < c; j += CLASSES) {
        const size_t classes = c - j < CLASSES ? c - j : CLASSES;
        uint64_t sums[CLASSES] = {0};
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < classes; l++) {
                const int g = dscores[i * ldds + j + l];
                sums[l] += (uint64_t)(g < 0 ? -g : g);
            }
        for (size_t l = 0; l < classes; l++)
            if (sums[l] > DOWNHILL_U8_NC_MAX)
                return DOWNHILL_ERR_RANGE;
    }
    return DOWNHILL_OK;
}

downhill_status downhill_check_sums_u8(const downhill_sums_u8 *sums)
{
    if (sums == NULL || sums->b == NULL)
        return DOWNHILL_ERR_NULL;
    if (sums->d > DOWNHILL_U8_D_MAX || sums->c > DOWNHILL_U8_C_MAX)
        return DOWNHILL_ERR_SIZE;
    return downhill_check_matrix(sizeof *sums->w, sums->w, sums->c, sums->d, sums->ldw);
}

downhill_status downhill_grad_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                 const int16_t *dscores, size_t ldds, int accumulate,
                                 const downhill_sums_u8 *sums)
{
    const struct samples samples = without_labels(samples_u8(batch));
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_sums_u8(sums)) != DOWNHILL_OK ||
        (status = downhill_check_batch(&samples, sums->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(sizeof *dscores, dscores, samples.n, sums->c, ldds)) !=
            DOWNHILL_OK ||
        (status = check_range(samples.n, sums->c, dscores, ldds)) != DOWNHILL_OK)
        return status;
    struct walk walk;
    for (downhill_walk_begin(&walk, &samples, sums->d, BLOCK_ROWS_MAX, 2); walk.block->n > 0;
         downhill_walk_next(&walk))
        downhill_block_grad_u8(kernels, walk.block, dscores + walk.first * ldds, ldds,
                               accumulate || walk.first > 0 ? GRAD_ACCUMULATE : 0u, sums,
                               &walk.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_update_u8(const downhill_kernels *kernels,
                                   const downhill_weights_f32 *weights,
                                   const downhill_sums_u8 *sums, float decay, float step,
                                   void *packed)
{
    struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if (packed == NULL)
        return DOWNHILL_ERR_NULL;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(kernels, p)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_sums_u8(sums)) != DOWNHILL_OK)
        return status;
    if (weights->d != p->d || weights->c != p->c)
        return DOWNHILL_ERR_PACKED;
    if (weights->d != sums->d || weights->c != sums->c)
        return DOWNHILL_ERR_SIZE;
    if (!isfinite(decay) || !isfinite(step))
        return DOWNHILL_ERR_PARAMETER;
    downhill_update_packed_u8(weights, sums, decay, step, p);
    return DOWNHILL_OK;
}
