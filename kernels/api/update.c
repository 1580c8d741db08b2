/* SPDX-License-Identifier: MIT
 *
 * Updates of the weights. */
#include "api/check.h"
#include "driver/weight_update.h"

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
    downhill_weight_update(kernels, weights, grad, decay, step);
    return DOWNHILL_OK;
}

downhill_status downhill_update_u8(const downhill_kernels *kernels,
                                   const downhill_weights_f32 *weights,
                                   const downhill_sums_u8 *sums, float decay, float step,
                                   void *packed)
{
    struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(kernels, packed)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_sums_u8(sums)) != DOWNHILL_OK ||
        (status = downhill_check_update_u8(weights, p, decay, step)) != DOWNHILL_OK)
        return status;
    if (weights->d != sums->d || weights->c != sums->c)
        return DOWNHILL_ERR_SIZE;
    downhill_update_packed_u8(weights, sums, decay, step, p);
    return DOWNHILL_OK;
}
