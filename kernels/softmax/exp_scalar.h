/* SPDX-License-Identifier: MIT
 *
 * Computes e^t for t <= 0; see softmax.h. */
#ifndef DOWNHILL_EXP_SCALAR_H
#define DOWNHILL_EXP_SCALAR_H

#include "simd/portable.h"
#include "softmax/softmax.h"

static inline float exp_scalar(float t)
{
    /* Adding 1.5·2²³ leaves the rounded integer in the low bits of the significand. */
    const float magic = 0x1.8p23f;
    const float shifted = t * EXP_LOG2E + magic;
    const float n = shifted - magic;
    const float r = (t - n * EXP_LN2_HI) - n * EXP_LN2_LO;
    float p = EXP_C6 * r + EXP_C5;
    p = p * r + EXP_C4;
    p = p * r + EXP_C3;
    p = p * r + EXP_C2;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    /* For t far below the range these bits are meaningless. They are unsigned so that they may wrap. */
    const uint32_t exponent =
        (uint32_t)bits_of_float(shifted) - (uint32_t)bits_of_float(magic) + 127u;
    const float scale = float_of_bits((int32_t)(exponent << 23));
    return t < EXP_MIN_ARG ? 0.0f : p * scale;
}

#endif
