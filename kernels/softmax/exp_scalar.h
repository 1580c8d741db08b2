/* SPDX-License-Identifier: MIT
 *
 * Computes e^t for t <= 0; see softmax.h. `fused`: with FMAs, as the levels with a fixed order of sums. */
#ifndef DOWNHILL_EXP_SCALAR_H
#define DOWNHILL_EXP_SCALAR_H

#include "simd/portable.h"
#include "softmax/softmax.h"

/* Returns a·b + c, rounded once if `fused`, else twice. */
DOWNHILL_INLINE float multiply_add(const int fused, float a, float b, float c)
{
    if (fused)
        return fmaf(a, b, c);
    float product = a * b;
    DOWNHILL_ROUND(product);
    return product + c;
}

DOWNHILL_INLINE float exp_scalar(const int fused, float t)
{
    /* Adding 1.5·2²³ leaves the rounded integer in the low bits of the significand. */
    const float magic = 0x1.8p23f;
    const float shifted = multiply_add(0, t, EXP_LOG2E, magic);
    const float n = shifted - magic;
    const float r = multiply_add(fused, n, -EXP_LN2_LO, multiply_add(fused, n, -EXP_LN2_HI, t));
    float p = multiply_add(fused, EXP_C6, r, EXP_C5);
    p = multiply_add(fused, p, r, EXP_C4);
    p = multiply_add(fused, p, r, EXP_C3);
    p = multiply_add(fused, p, r, EXP_C2);
    p = multiply_add(fused, p, r, 1.0f);
    p = multiply_add(fused, p, r, 1.0f);
    /* For t far below the range these bits are meaningless. They are unsigned so that they may wrap. */
    const uint32_t exponent =
        (uint32_t)bits_of_float(shifted) - (uint32_t)bits_of_float(magic) + 127u;
    const float scale = float_of_bits((int32_t)(exponent << 23));
    return t < EXP_MIN_ARG ? 0.0f : p * scale;
}

#endif
