/* SPDX-License-Identifier: MIT
 *
 * Helpers of the *_fma.c sources: the definition, in plain C, of the order in which every level but scalar and auto_ sums
 * in f32. Each product of a dot product or of the gradient is added by an FMA. Where FMA belongs to the base instructions,
 * as on aarch64, these sources are the level fma; elsewhere verify and the tests compare the other levels with them. */
#ifndef DOWNHILL_FIXED_ORDER_H
#define DOWNHILL_FIXED_ORDER_H

#include "simd/portable.h"

#include <math.h>

/* Sums of a sum over classes, and the maximum number of sums of a dot product. */
enum { CLASS_LANES = 16, DOT_LANES_MAX = 32 };

/* Returns the number of sums of a dot product if there are c classes. */
static inline size_t dot_lanes(size_t c)
{
    return c == 1 ? 32 : c <= 3 ? 16 : 8;
}

/* Adds up sums: those 16 apart first, then those 8, 2, 1 and 4 apart. */
DOWNHILL_INLINE float fold(const size_t lanes, float *sum)
{
    for (size_t half = lanes / 2; half >= 8; half /= 2)
        for (size_t l = 0; l < half; l++)
            sum[l] += sum[l + half];
    const float low = (sum[0] + sum[2]) + (sum[1] + sum[3]);
    const float high = (sum[4] + sum[6]) + (sum[5] + sum[7]);
    return low + high;
}

#endif
