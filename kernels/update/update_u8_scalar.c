/* SPDX-License-Identifier: MIT
 *
 * Update from a gradient in integers, the definition: seven roundings, in this order, on every
 * level. */
#include "simd/portable.h"

uint32_t DOWNHILL_NAME(update_u8)(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const int32_t *restrict dw,
                                  const float *restrict mean, const float *restrict gain,
                                  float *restrict w)
{
    (void)flags;
    int32_t most = 0;
#pragma omp simd reduction(max : most)
    for (size_t k = 0; k < d; k++) {
        const float of_sample = (float)dw[k] * times + 0.0f;
        float of_mean = mean[k] * sum;
        DOWNHILL_ROUND(of_mean);
        const float centered = of_sample - of_mean;
        float decayed = decay * w[k], move = step * gain[k] * centered;
        DOWNHILL_ROUND(decayed);
        DOWNHILL_ROUND(move);
        const float moved = decayed - move;
        const int32_t magnitude = bits_of_float(moved) & INT32_MAX;
        w[k] = moved;
        most = magnitude > most ? magnitude : most;
    }
    return (uint32_t)most;
}
