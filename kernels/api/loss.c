/* SPDX-License-Identifier: MIT
 *
 * Losses of scores, and their gradients with respect to the scores. */
#include "api/check.h"

/* The two losses differ in the kernel that is called for each block. */
static downhill_status loss_of_scores(const downhill_kernels *kernels, downhill_loss loss, size_t n,
                                      size_t c, const float *scores, size_t lds, const int32_t *y,
                                      float *dscores, size_t ldds, double *sum)
{
    const struct batch_view labels = {.y = y, .n = n};
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

downhill_status downhill_hinge_u8(const downhill_kernels *kernels, size_t n, size_t c,
                                  const double *scores, size_t lds, const int32_t *y, float delta,
                                  int16_t *dscores, size_t ldds, double *loss)
{
    const struct batch_view labels = {.y = y, .n = n};
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
