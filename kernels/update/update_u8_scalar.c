/* SPDX-License-Identifier: MIT
 *
 * Weight update from a gradient of integers: the definition. Seven roundings, in this order, on every ISA level. */
#include "simd/portable.h"

/* rounded: whether dw holds f32, not int32_t. */
DOWNHILL_INLINE uint32_t update(const int rounded, size_t d, float decay, float step, float sum,
                                float times, const void *restrict dw, const float *restrict mean,
                                const float *restrict gain, float *restrict w)
{
    int32_t max = 0;
#pragma omp simd reduction(max : max)
    for (size_t k = 0; k < d; k++) {
        const float dw_k = rounded ? ((const float *)dw)[k] : (float)((const int32_t *)dw)[k];
        const float sample_part = dw_k * times + 0.0f;
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

uint32_t DOWNHILL_NAME(update_u8)(size_t d, unsigned flags, float decay, float step, float sum,
                                  float times, const void *dw, const float *mean, const float *gain,
                                  float *w)
{
    if (flags & UPDATE_ROUNDED)
        return update(1, d, decay, step, sum, times, dw, mean, gain, w);
    return update(0, d, decay, step, sum, times, dw, mean, gain, w);
}
