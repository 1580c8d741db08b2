/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx512.c sources. */
#ifndef DOWNHILL_AVX512_H
#define DOWNHILL_AVX512_H

#include "isa/kernels.h"
#include "simd/prefetch.h"
#include "simd/tiles.h"

#include <immintrin.h>
#include <stdint.h>

enum { F32X16 = 16 };

DOWNHILL_INLINE __m512 widened_x16(__m256i bf16)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16));
}

/* Loads 16 features of a row as f32, from feature k on. A bf16 is widened by a conversion and a shift. */
DOWNHILL_INLINE __m512 features_x16(const enum element element, const void *row, size_t k)
{
    if (element == ELEMENT_F32)
        return _mm512_loadu_ps((const float *)row + k);
    return widened_x16(_mm256_loadu_si256((const void *)((const uint16_t *)row + k)));
}

/* Loads the features of the lanes that are on. The other lanes are 0, and their memory is not
 * touched. */
DOWNHILL_INLINE __m512 some_features_x16(const enum element element, __mmask16 lanes,
                                         const void *row, size_t k)
{
    if (element == ELEMENT_F32)
        return _mm512_maskz_loadu_ps(lanes, (const float *)row + k);
    return widened_x16(_mm256_maskz_loadu_epi16(lanes, (const uint16_t *)row + k));
}

/* Prefetches a tile of dW into L2 while the samples are summed. */
DOWNHILL_INLINE void fetch_dw(const int classes, const int vectors, const float *dw, size_t lddw)
{
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            _mm_prefetch((const void *)(dw + (size_t)j * lddw + F32X16 * (size_t)v), _MM_HINT_T1);
}

/* Forces a value into a register at this point. GCC otherwise folds a load that has several uses into each of them, and
 * a loop that should be bound by its FMAs becomes bound by its loads. */
DOWNHILL_INLINE __m512 in_register_x16(__m512 v)
{
    __asm__("" : "+v"(v));
    return v;
}

/* Returns a mask of the first `count` lanes, or of all lanes if count >= 16. A masked load or store does not touch the
 * memory of lanes that are off. */
DOWNHILL_INLINE __mmask16 first_lanes_x16(size_t count)
{
    return (__mmask16)(count >= F32X16 ? 0xFFFFu : (1u << count) - 1u);
}

/* Sums each 128-bit part of four vectors: lane q of part p of the result is the sum of part p of vector q. */
DOWNHILL_INLINE __m512 sum_parts(__m512 v0, __m512 v1, __m512 v2, __m512 v3)
{
    const __m512 s01 = _mm512_add_ps(_mm512_unpacklo_ps(v0, v1), _mm512_unpackhi_ps(v0, v1));
    const __m512 s23 = _mm512_add_ps(_mm512_unpacklo_ps(v2, v3), _mm512_unpackhi_ps(v2, v3));
    return _mm512_add_ps(_mm512_shuffle_ps(s01, s23, _MM_SHUFFLE(1, 0, 1, 0)),
                         _mm512_shuffle_ps(s01, s23, _MM_SHUFFLE(3, 2, 3, 2)));
}

/* Returns the horizontal sums of four vectors, given the result of sum_parts(). */
DOWNHILL_INLINE __m128 sum_4(__m512 p)
{
    const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(p), _mm512_extractf32x8_ps(p, 1));
    return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
}

/* Returns the horizontal sum: lanes 8 apart are added, then lanes 2 apart, neighbours, and lanes 4 apart, as in
 * simd/avx2.h. */
DOWNHILL_INLINE float sum_lanes_x16(__m512 v)
{
    __m256 s = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, _MM_SHUFFLE(3, 2, 3, 2)));
    s = _mm256_add_ps(s, _mm256_movehdup_ps(s));
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

/* Returns the horizontal sums of 16 vectors, given four results of sum_parts(). */
DOWNHILL_INLINE __m512 sum_16(const __m512 p[4])
{
    const __m512 s01 = _mm512_add_ps(_mm512_shuffle_f32x4(p[0], p[1], _MM_SHUFFLE(1, 0, 1, 0)),
                                     _mm512_shuffle_f32x4(p[0], p[1], _MM_SHUFFLE(3, 2, 3, 2)));
    const __m512 s23 = _mm512_add_ps(_mm512_shuffle_f32x4(p[2], p[3], _MM_SHUFFLE(1, 0, 1, 0)),
                                     _mm512_shuffle_f32x4(p[2], p[3], _MM_SHUFFLE(3, 2, 3, 2)));
    return _mm512_add_ps(_mm512_shuffle_f32x4(s01, s23, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_f32x4(s01, s23, _MM_SHUFFLE(3, 1, 3, 1)));
}

/* Accumulators per sample of a tile of packed scores. Accumulators past the classes of the tile are zero. */
enum { SUMS_OF_ROW = 12 };

/* Adds the horizontal sums of the accumulators to the scores of a tile. */
DOWNHILL_INLINE void add_to_scores(const int rows, const int classes, const __m512 *sum_f32x16,
                                   float *scores, size_t lds)
{
    const __mmask16 lanes = first_lanes_x16((size_t)classes);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512 *s = sum_f32x16 + r * SUMS_OF_ROW;
        const __m512 part[4] = {sum_parts(s[0], s[1], s[2], s[3]),
                                sum_parts(s[4], s[5], s[6], s[7]),
                                sum_parts(s[8], s[9], s[10], s[11]), _mm512_setzero_ps()};
        float *scores_r = scores + (size_t)r * lds;
        const __m512 before = _mm512_maskz_loadu_ps(lanes, scores_r);
        _mm512_mask_storeu_ps(scores_r, lanes, _mm512_add_ps(before, sum_16(part)));
    }
}

#endif
