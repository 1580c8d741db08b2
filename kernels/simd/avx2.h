/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx2.c sources. */
#ifndef DOWNHILL_AVX2_H
#define DOWNHILL_AVX2_H

#include "isa/kernels.h"
#include "simd/prefetch.h"
#include "simd/tiles.h"

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { F32X8 = 8 }; /* lanes */

/* Forces a value into a register at this point. GCC otherwise folds a load that has several uses into each of them, and
 * a loop that should be bound by its FMAs becomes bound by its loads. */
DOWNHILL_INLINE __m256 in_register_x8(__m256 v)
{
    __asm__("" : "+x"(v));
    return v;
}

/* Returns a mask of the first `count` lanes, or of all lanes if count >= 8. A maskload does not touch the memory of
 * lanes that are off. */
DOWNHILL_INLINE __m256i first_lanes_x8(size_t count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count < F32X8 ? count : F32X8)), lane);
}

/* Stores the first `count` lanes, or all lanes if count >= 8. It avoids maskstore, which is microcoded on Zen to Zen 4
 * and made the losses of 1000 classes 3.5 times slower there. */
DOWNHILL_INLINE void store_some_x8(float *to, size_t count, __m256 v)
{
    if (count >= F32X8) {
        _mm256_storeu_ps(to, v);
        return;
    }
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
        _mm_storeu_ps(to, part);
        part = _mm256_extractf128_ps(v, 1);
        to += 4;
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)(void *)to, part);
        part = _mm_movehl_ps(part, part);
        to += 2;
    }
    if (count & 1)
        _mm_store_ss(to, part);
}

DOWNHILL_INLINE __m256 widened_x8(__m128i bf16)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bf16), 16));
}

/* Loads 8 features of a row as f32, from feature k on. A bf16 is widened by a conversion and a shift. */
DOWNHILL_INLINE __m256 features_x8(const enum element element, const void *row, size_t k)
{
    if (element == ELEMENT_F32)
        return _mm256_loadu_ps((const float *)row + k);
    return widened_x8(_mm_loadu_si128((const void *)((const uint16_t *)row + k)));
}

/* Loads the first `count` < 8 of these features. The other lanes are 0, and the memory past the last one is not
 * touched. AVX2 has no masked load of 16-bit elements, so bf16 features are first copied to an array. */
DOWNHILL_INLINE __m256 some_features_x8(const enum element element, size_t count, const void *row,
                                        size_t k)
{
    if (element == ELEMENT_F32)
        return _mm256_maskload_ps((const float *)row + k, first_lanes_x8(count));
    uint16_t bf16[F32X8] = {0};
    memcpy(bf16, (const uint16_t *)row + k, count * sizeof bf16[0]);
    return widened_x8(_mm_loadu_si128((const void *)bf16));
}

/* Returns the horizontal sum: lanes 2 apart are added, then neighbours, then lanes 4 apart. */
DOWNHILL_INLINE float sum_lanes_x8(__m256 v)
{
    v = _mm256_add_ps(v, _mm256_permute_ps(v, _MM_SHUFFLE(3, 2, 3, 2)));
    v = _mm256_add_ps(v, _mm256_movehdup_ps(v));
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}

/* Returns the horizontal sums of four vectors, with the bits of sum_lanes_x8(). Transposing them first takes 11
 * instructions instead of 24. */
DOWNHILL_INLINE __m128 sum_lanes_4(__m256 v0, __m256 v1, __m256 v2, __m256 v3)
{
    const __m256 s01 = _mm256_add_ps(_mm256_unpacklo_ps(v0, v1), _mm256_unpackhi_ps(v0, v1));
    const __m256 s23 = _mm256_add_ps(_mm256_unpacklo_ps(v2, v3), _mm256_unpackhi_ps(v2, v3));
    const __m256 s = _mm256_add_ps(_mm256_shuffle_ps(s01, s23, _MM_SHUFFLE(1, 0, 1, 0)),
                                   _mm256_shuffle_ps(s01, s23, _MM_SHUFFLE(3, 2, 3, 2)));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

DOWNHILL_INLINE float max_lane_x8(__m256 v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    m = _mm_max_ss(m, _mm_movehdup_ps(m));
    return _mm_cvtss_f32(m);
}

#endif
