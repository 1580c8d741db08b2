/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx2.c sources. */
#ifndef DOWNHILL_AVX2_H
#define DOWNHILL_AVX2_H

#include "tiles.h"

#include <immintrin.h>
#include <stdint.h>

enum { F32X8 = 8 }; /* lanes */

/* The value, in a register from here on. GCC otherwise folds a load that has several uses into each
 * of them, and a loop that should be bound by its FMAs is bound by its loads. */
DOWNHILL_INLINE __m256 in_register_x8(__m256 v)
{
    __asm__("" : "+x"(v));
    return v;
}

/* Mask of the first `count` lanes; every lane from 8 on. maskload and maskstore touch no memory
 * behind a lane that is off. */
DOWNHILL_INLINE __m256i first_lanes_x8(size_t count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count < F32X8 ? count : F32X8)), lane);
}

DOWNHILL_INLINE float sum_lanes_x8(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

DOWNHILL_INLINE float max_lane_x8(__m256 v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    m = _mm_max_ss(m, _mm_movehdup_ps(m));
    return _mm_cvtss_f32(m);
}

#endif
