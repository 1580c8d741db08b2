/* SPDX-License-Identifier: MIT
 *
 * Weight update from an integer gradient: the definition. Seven roundings, in this order, on every ISA level. */
#include "simd/portable.h"

uint32_t DOWNHILL_NAME(update_u8)(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const int32_t *restrict dw,
                                  const float *restrict mean, const float *restrict gain,
                                  float *restrict w)
{
    (void)flags;
    int32_t max = 0;
#pragma omp simd reduction(max : max)
    for (size_t k = 0; k < d; k++) {
        const float sample_part = (float)dw[k] * times + 0.0f;
        float mean_part = mean[k] * sum;
        DOWNHILL_ROUND(mean_part);
        const float centered = sample_part - mean_part;
        float decayed = decay * w[k], move = step * gain[k] * centered;
        DOWNHILL_ROUND(decayed);
        DOWNHILL_ROUND(move);
        const float moved = decayed - move;
        const int32_t magnitude = bits_of_float(moved) & INT32_MAX;
        w[k] = moved;
        max = magnitude > max ? magnitude : max;
    }
    return (uint32_t)max;
}
