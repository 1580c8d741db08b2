/* SPDX-License-Identifier: MIT
 *
 * Packed weights of byte batches. */
#include "api/check.h"

#include <math.h>

static downhill_status check_norm(size_t d, const downhill_norm_u8 *norm)
{
    for (size_t k = 0; norm != NULL && k < d; k++)
        if ((norm->mean != NULL && norm->mean[k] > UINT8_MAX * MEAN_UNITS) ||
            (norm->scale != NULL &&
             !(isfinite(norm->scale[k] * norm->scale[k]) && norm->scale[k] >= 0.0f)))
            return DOWNHILL_ERR_PARAMETER;
    return DOWNHILL_OK;
}

downhill_status downhill_pack_u8(const downhill_kernels *kernels,
                                 const downhill_weights_f32 *weights, const downhill_norm_u8 *norm,
                                 downhill_packed_u8 *packed, size_t packed_bytes)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK)
        return status;
    if (packed == NULL)
        return DOWNHILL_ERR_NULL;
    const size_t need = downhill_packed_u8_bytes(weights->d, weights->c);
    if (need == 0)
        return DOWNHILL_ERR_SIZE;
    if (packed_bytes < need)
        return DOWNHILL_ERR_WORKSPACE;
    if ((status = check_norm(weights->d, norm)) != DOWNHILL_OK)
        return status;
    downhill_pack_new_u8(kernels, weights, norm, downhill_packed_u8_in(packed));
    return DOWNHILL_OK;
}
