/* SPDX-License-Identifier: MIT
 *
 * Losses of scores, and their gradients with respect to the scores. */
#include "api/check.h"
#include "driver/block_loss.h"

static downhill_status loss_f32(const downhill_kernels *kernels, downhill_loss loss,
                                const downhill_matrix_f32 *scores, const int32_t *labels,
                                const downhill_matrix_f32 *dscores, double *sum)
{
    if (scores == NULL || sum == NULL)
        return DOWNHILL_ERR_NULL;
    const size_t n = scores->rows, c = scores->columns;
    const struct batch_view view = {.y = labels, .n = n};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = check_matrix_f32(scores, n, c)) != DOWNHILL_OK ||
        (status = check_matrix_f32(dscores, n, c)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (c > INT32_MAX)
        return DOWNHILL_ERR_SIZE;
    if (scores->data == dscores->data && scores->ld != dscores->ld)
        return DOWNHILL_ERR_LD;
    if ((status = downhill_check_labels(&view, c)) != DOWNHILL_OK)
        return status;

    double total = 0.0;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        const float *s = scores->data + i * scores->ld;
        float *ds = dscores->data + i * dscores->ld;
        total += loss.kind == DOWNHILL_HINGE
                     ? kernels->hinge_f32(rows, c, s, scores->ld, labels + i, loss.margin, ds,
                                          dscores->ld)
                     : kernels->softmax_f32(rows, c, s, scores->ld, labels + i, ds, dscores->ld);
    }
    *sum = total;
    return DOWNHILL_OK;
}

downhill_status downhill_hinge_f32(const downhill_kernels *kernels,
                                   const downhill_matrix_f32 *scores, const int32_t *labels,
                                   float margin, const downhill_matrix_f32 *dscores,
                                   double *loss_sum)
{
    const downhill_loss hinge = {DOWNHILL_HINGE, margin};
    return loss_f32(kernels, hinge, scores, labels, dscores, loss_sum);
}

downhill_status downhill_softmax_f32(const downhill_kernels *kernels,
                                     const downhill_matrix_f32 *scores, const int32_t *labels,
                                     const downhill_matrix_f32 *dscores, double *loss_sum)
{
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f};
    return loss_f32(kernels, softmax, scores, labels, dscores, loss_sum);
}

static downhill_status loss_u8(const downhill_kernels *kernels, downhill_loss loss,
                               const downhill_matrix_f64 *scores, const int32_t *labels,
                               const downhill_matrix_i16 *dscores, double *sum)
{
    if (scores == NULL || sum == NULL)
        return DOWNHILL_ERR_NULL;
    const size_t n = scores->rows, c = scores->columns;
    const struct batch_view view = {.y = labels, .n = n};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = check_matrix_f64(scores, n, c)) != DOWNHILL_OK ||
        (status = check_matrix_i16(dscores, n, c)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (c > DOWNHILL_U8_C_MAX)
        return DOWNHILL_ERR_SIZE;
    if ((status = downhill_check_labels(&view, c)) != DOWNHILL_OK)
        return status;
    double units = 0.0;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        units += downhill_loss_units_u8(kernels, loss, rows, c, scores->data + i * scores->ld,
                                        scores->ld, labels + i, dscores->data + i * dscores->ld,
                                        dscores->ld);
    }
    *sum = units * DOWNHILL_LOSS_UNIT;
    return DOWNHILL_OK;
}

downhill_status downhill_hinge_u8(const downhill_kernels *kernels,
                                  const downhill_matrix_f64 *scores, const int32_t *labels,
                                  float margin, const downhill_matrix_i16 *dscores,
                                  double *loss_sum)
{
    const downhill_loss hinge = {DOWNHILL_HINGE, margin};
    return loss_u8(kernels, hinge, scores, labels, dscores, loss_sum);
}

downhill_status downhill_softmax_u8(const downhill_kernels *kernels,
                                    const downhill_matrix_f64 *scores, const int32_t *labels,
                                    const downhill_matrix_i16 *dscores, double *loss_sum)
{
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f};
    return loss_u8(kernels, softmax, scores, labels, dscores, loss_sum);
}
