/* SPDX-License-Identifier: MIT
 *
 * Checks of arguments at the public boundary. */
#include "driver/blocking.h"

#include <math.h>

#define STRING2(x) #x
#define STRING(x)  STRING2(x)

const char *downhill_version(void)
{
    return STRING(DOWNHILL_VERSION_MAJOR) "." STRING(DOWNHILL_VERSION_MINOR) "." STRING(
        DOWNHILL_VERSION_PATCH);
}

const char *downhill_status_text(downhill_status status)
{
    switch (status) {
    case DOWNHILL_OK:
        return "no error";
    case DOWNHILL_ERR_NULL:
        return "a required pointer is NULL";
    case DOWNHILL_ERR_SIZE:
        return "a size is zero, too large, or differs from its partner";
    case DOWNHILL_ERR_LD:
        return "a leading dimension is smaller than the row";
    case DOWNHILL_ERR_LABEL:
        return "a label is outside [0, c)";
    case DOWNHILL_ERR_ROW:
        return "a row number is outside [0, x_rows)";
    case DOWNHILL_ERR_PARAMETER:
        return "a number is not finite or a kind is unknown";
    case DOWNHILL_ERR_WORKSPACE:
        return "the workspace is too small";
    case DOWNHILL_ERR_RANGE:
        return "a sum of integers might leave its range";
    case DOWNHILL_ERR_PACKED:
        return "the packed weights are of another size, place or level, or not packed yet";
    case DOWNHILL_ERR_ISA_UNKNOWN:
        return "no such ISA level or CPU feature";
    case DOWNHILL_ERR_ISA_UNUSABLE:
        return "the ISA level is not usable here";
    }
    return "unknown status";
}

downhill_status downhill_check_kernels(const downhill_kernels **kernels)
{
    return *kernels != NULL ? DOWNHILL_OK : downhill_select(NULL, kernels, NULL, 0);
}

/* rows × columns elements of so many bytes, ld apart, must be addressable. */
downhill_status downhill_check_matrix(size_t element, const void *data, size_t rows, size_t columns,
                                      size_t ld)
{
    if (data == NULL)
        return DOWNHILL_ERR_NULL;
    if (rows == 0 || columns == 0)
        return DOWNHILL_ERR_SIZE;
    if (ld < columns)
        return DOWNHILL_ERR_LD;
    size_t elements; /* multiplied, because a single sample would notice a division */
    if (__builtin_mul_overflow(ld, rows, &elements) || elements > PTRDIFF_MAX / element)
        return DOWNHILL_ERR_SIZE;
    return DOWNHILL_OK;
}

downhill_status downhill_check_weights(const downhill_weights_f32 *weights)
{
    if (weights == NULL)
        return DOWNHILL_ERR_NULL;
    if (weights->c > INT32_MAX) /* labels are int32_t */
        return DOWNHILL_ERR_SIZE;
    return downhill_check_matrix(sizeof(float), weights->w, weights->c, weights->d, weights->ldw);
}

downhill_status downhill_check_batch(const struct samples *batch, size_t d)
{
    const downhill_status status = downhill_check_matrix(element_bytes(batch->element), batch->x,
                                                         batch->x_rows, d, batch->ldx);
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

downhill_status downhill_check_labels(const struct samples *batch, size_t c)
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
        return isfinite(loss.delta) && loss.delta >= 0.0f ? DOWNHILL_OK : DOWNHILL_ERR_PARAMETER;
    case DOWNHILL_SOFTMAX:
        return DOWNHILL_OK;
    }
    return DOWNHILL_ERR_PARAMETER;
}

downhill_status downhill_check_update(const downhill_weights_f32 *weights,
                                      const downhill_weights_f32 *grad, float decay, float step)
{
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    if (weights->b != NULL && grad->b == NULL)
        return DOWNHILL_ERR_NULL;
    return isfinite(decay) && isfinite(step) ? DOWNHILL_OK : DOWNHILL_ERR_PARAMETER;
}
