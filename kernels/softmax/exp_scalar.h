/* SPDX-License-Identifier: MIT
 *
 * Computes e^t for t <= 0; see softmax.h. */
#ifndef DOWNHILL_EXP_SCALAR_H
#define DOWNHILL_EXP_SCALAR_H

#include "simd/portable.h"
#include "softmax/softmax.h"

/* Returns a product that is rounded before it is added to a sum. */
static inline float rounded_f32(float product)
{
    DOWNHILL_ROUND(product);
    return product;
}

static inline float exp_scalar(float t)
{
    /* Adding 1.5·2²³ leaves the rounded integer in the low bits of the significand. */
    const float magic = 0x1.8p23f;
    const float shifted = rounded_f32(t * EXP_LOG2E) + magic;
    const float n = shifted - magic;
    const float r = (t - rounded_f32(n * EXP_LN2_HI)) - rounded_f32(n * EXP_LN2_LO);
    float p = rounded_f32(EXP_C6 * r) + EXP_C5;
    p = rounded_f32(p * r) + EXP_C4;
    p = rounded_f32(p * r) + EXP_C3;
    p = rounded_f32(p * r) + EXP_C2;
    p = rounded_f32(p * r) + 1.0f;
    p = rounded_f32(p * r) + 1.0f;
    /* For t far below the range these bits are meaningless. They are unsigned so that they may wrap. */
    const uint32_t exponent =
        (uint32_t)bits_of_float(shifted) - (uint32_t)bits_of_float(magic) + 127u;
    const float scale = float_of_bits((int32_t)(exponent << 23));
    return t < EXP_MIN_ARG ? 0.0f : p * scale;
}

#endif
