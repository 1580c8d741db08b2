/* SPDX-License-Identifier: MIT */
#include "api/check.h"

#include <math.h>

downhill_status downhill_check_kernels(const downhill_kernels **kernels)
{
    return *kernels != NULL ? DOWNHILL_OK : downhill_select(NULL, kernels, NULL, 0);
}

downhill_status downhill_check_array(size_t element_size, const void *data, size_t rows,
                                     size_t columns, size_t ld)
{
    if (data == NULL)
        return DOWNHILL_ERR_NULL;
    if (rows == 0 || columns == 0)
        return DOWNHILL_ERR_SIZE;
    if (ld < columns)
        return DOWNHILL_ERR_LD;
    size_t elements; /* a division would be measurable with one sample */
    if (__builtin_mul_overflow(ld, rows, &elements) || elements > PTRDIFF_MAX / element_size)
        return DOWNHILL_ERR_SIZE;
    return DOWNHILL_OK;
}

downhill_status downhill_check_matrix(size_t element_size, const void *data, size_t rows,
                                      size_t columns, size_t ld, size_t n, size_t c)
{
    if (rows != n || columns != c)
        return DOWNHILL_ERR_SIZE;
    return downhill_check_array(element_size, data, rows, columns, ld);
}

/* Checks what weights and their gradient have in common: c rows of d numbers. */
static downhill_status check_class_rows(const float *data, size_t d, size_t c, size_t ld)
{
    if (c > INT32_MAX) /* labels are int32_t */
        return DOWNHILL_ERR_SIZE;
    return downhill_check_array(sizeof *data, data, c, d, ld);
}

downhill_status downhill_check_weights(const downhill_weights_f32 *weights)
{
    return weights == NULL ? DOWNHILL_ERR_NULL
                           : check_class_rows(weights->w, weights->d, weights->c, weights->ldw);
}

downhill_status downhill_check_gradient(const downhill_gradient_f32 *grad)
{
    return grad == NULL ? DOWNHILL_ERR_NULL
                        : check_class_rows(grad->dw, grad->d, grad->c, grad->lddw);
}

downhill_status downhill_check_batch(const struct batch_view *batch, size_t d)
{
    const downhill_status status =
        downhill_check_array(element_bytes(batch->element), batch->x, batch->x_rows, d, batch->ldx);
    if (status != DOWNHILL_OK)
        return status;
    if (batch->n == 0 || batch->n > PTRDIFF_MAX / sizeof *batch->rows)
        return DOWNHILL_ERR_SIZE;
    if (batch->rows == NULL &&
        (batch->n > batch->x_rows || batch->n_next > batch->x_rows - batch->n))
        return DOWNHILL_ERR_SIZE;
    if (batch->rows != NULL)
        for (size_t i = 0; i < batch->n + next_rows(batch); i++)
            if (batch->rows[i] >= batch->x_rows)
                return DOWNHILL_ERR_ROW;
    return DOWNHILL_OK;
}

downhill_status downhill_check_labels(const struct batch_view *batch, size_t c)
{
    if (batch->y == NULL)
        return DOWNHILL_ERR_NULL;
    for (size_t i = 0; i < batch->n; i++) {
        const int32_t label = batch->y[batch_row(batch, i)];
        if (label < 0 || (size_t)label >= c)
            return DOWNHILL_ERR_LABEL;
    }
    return DOWNHILL_OK;
}

downhill_status downhill_check_loss(downhill_loss loss)
{
    switch (loss.kind) {
    case DOWNHILL_HINGE:
        return isfinite(loss.margin) && loss.margin >= 0.0f ? DOWNHILL_OK : DOWNHILL_ERR_PARAMETER;
    case DOWNHILL_SOFTMAX:
        return DOWNHILL_OK;
    }
    return DOWNHILL_ERR_PARAMETER;
}

downhill_status downhill_check_same_shape(const downhill_weights_f32 *weights,
                                          const downhill_gradient_f32 *grad)
{
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    return weights->b != NULL && grad->db == NULL ? DOWNHILL_ERR_NULL : DOWNHILL_OK;
}

downhill_status downhill_check_update(const downhill_sgd *sgd, size_t n,
                                      struct update_factors *factors)
{
    if (sgd == NULL)
        return DOWNHILL_ERR_NULL;
    if (n == 0)
        return DOWNHILL_ERR_SIZE;
    *factors = downhill_update_factors(sgd, n);
    return isfinite(factors->decay) && isfinite(factors->step) ? DOWNHILL_OK
                                                               : DOWNHILL_ERR_PARAMETER;
}

downhill_status downhill_check_update_u8(const downhill_sgd *sgd, size_t n,
                                         struct update_factors *factors)
{
    downhill_status status;
    if ((status = downhill_check_update(sgd, n, factors)) != DOWNHILL_OK ||
        (status = downhill_check_loss(sgd->loss)) != DOWNHILL_OK)
        return status;
    if (sgd->loss.kind == DOWNHILL_SOFTMAX)
        factors->step /= DOWNHILL_SOFTMAX_ONE;
    return DOWNHILL_OK;
}

downhill_status downhill_check_workspace(const downhill_workspace *workspace, size_t need)
{
    if (workspace == NULL || workspace->memory == NULL)
        return DOWNHILL_ERR_NULL;
    return need == 0 || workspace->bytes < need ? DOWNHILL_ERR_WORKSPACE : DOWNHILL_OK;
}

downhill_status downhill_check_packed_u8(const downhill_kernels *kernels,
                                         const downhill_packed_u8 *packed)
{
    if (packed == NULL)
        return DOWNHILL_ERR_NULL;
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    return p->self == p && p->u8 == kernels->u8 ? DOWNHILL_OK : DOWNHILL_ERR_PACKED;
}

static downhill_status check_exact_gradient(size_t element_size, const void *dw, size_t lddw,
                                            const void *db, size_t d, size_t c)
{
    if (db == NULL)
        return DOWNHILL_ERR_NULL;
    if (d > DOWNHILL_U8_D_MAX || c > DOWNHILL_U8_C_MAX)
        return DOWNHILL_ERR_SIZE;
    return downhill_check_array(element_size, dw, c, d, lddw);
}

downhill_status downhill_check_gradient_u8(const downhill_gradient_u8 *grad)
{
    return grad == NULL ? DOWNHILL_ERR_NULL
                        : check_exact_gradient(sizeof *grad->dw, grad->dw, grad->lddw, grad->db,
                                               grad->d, grad->c);
}

downhill_status downhill_check_gradient_f64(const downhill_gradient_f64 *grad)
{
    return grad == NULL ? DOWNHILL_ERR_NULL
                        : check_exact_gradient(sizeof *grad->dw, grad->dw, grad->lddw, grad->db,
                                               grad->d, grad->c);
}
