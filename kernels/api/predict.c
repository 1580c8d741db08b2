/* SPDX-License-Identifier: MIT
 *
 * Classes and probabilities from scores. */
#include "api/check.h"

static int32_t argmax_f32(const float *scores, size_t c)
{
    size_t best = 0;
    for (size_t j = 1; j < c; j++)
        best = scores[j] > scores[best] ? j : best;
    return (int32_t)best;
}

static int32_t argmax_f64(const double *scores, size_t c)
{
    size_t best = 0;
    for (size_t j = 1; j < c; j++)
        best = scores[j] > scores[best] ? j : best;
    return (int32_t)best;
}

downhill_status downhill_predict_f32(const downhill_kernels *kernels,
                                     const downhill_matrix_f32 *scores, int32_t *classes,
                                     const downhill_matrix_f32 *probabilities)
{
    if (scores == NULL || classes == NULL)
        return DOWNHILL_ERR_NULL;
    const size_t n = scores->rows, c = scores->columns;
    const downhill_matrix_f32 *p = probabilities;
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = check_matrix_f32(scores, n, c)) != DOWNHILL_OK ||
        (p != NULL && (status = check_matrix_f32(p, n, c)) != DOWNHILL_OK))
        return status;
    if (c > INT32_MAX)
        return DOWNHILL_ERR_SIZE;
    if (p != NULL && p->data == scores->data && p->ld != scores->ld)
        return DOWNHILL_ERR_LD;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        for (size_t r = i; r < i + rows; r++)
            classes[r] = argmax_f32(scores->data + r * scores->ld, c);
        if (p == NULL)
            continue;
        /* The gradient of the loss with the predicted class as label: p_ij - [j is that class]. */
        kernels->softmax_f32(rows, c, scores->data + i * scores->ld, scores->ld, classes + i,
                             p->data + i * p->ld, p->ld);
        for (size_t r = i; r < i + rows; r++)
            p->data[r * p->ld + (size_t)classes[r]] += 1.0f;
    }
    return DOWNHILL_OK;
}

downhill_status downhill_predict_u8(const downhill_matrix_f64 *scores, int32_t *classes)
{
    if (scores == NULL || classes == NULL)
        return DOWNHILL_ERR_NULL;
    const downhill_status status = check_matrix_f64(scores, scores->rows, scores->columns);
    if (status != DOWNHILL_OK)
        return status;
    if (scores->columns > DOWNHILL_U8_C_MAX)
        return DOWNHILL_ERR_SIZE;
    for (size_t i = 0; i < scores->rows; i++)
        classes[i] = argmax_f64(scores->data + i * scores->ld, scores->columns);
    return DOWNHILL_OK;
}
