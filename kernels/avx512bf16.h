/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx512bf16.c sources. VDPBF16PS multiplies 32 pairs of bf16 and adds them, two
 * by two, to 16 f32: twice the products of an FMA. The products are exact, the two additions
 * rounded one after the other to nearest; subnormals count as 0, whatever MXCSR says. */
#ifndef DOWNHILL_AVX512BF16_H
#define DOWNHILL_AVX512BF16_H

#include "avx512.h"

enum { BF16X32 = 32 };

DOWNHILL_INLINE __mmask32 first_lanes_x32(size_t count)
{
    return (__mmask32)(count >= BF16X32 ? 0xFFFFFFFFu : (UINT32_C(1) << count) - 1u);
}

/* 32 features of a row from the k-th on; the lanes that are off are 0. */
DOWNHILL_INLINE __m512i some_features_x32(__mmask32 lanes, const void *row, size_t k)
{
    return _mm512_maskz_loadu_epi16(lanes, (const uint16_t *)row + k);
}

DOWNHILL_INLINE __m512 add_products(__m512 sum, __m512i a_bf16x32, __m512i b_bf16x32)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a_bf16x32, (__m512bh)b_bf16x32);
}

#endif
