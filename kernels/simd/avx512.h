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

enum { F32X16 = 16, F32X8 = 8 };

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

/* Returns a mask of the first `count` lanes, or of all lanes if count >= 16. A masked load or store does not touch the
 * memory of lanes that are off. */
DOWNHILL_INLINE __mmask16 first_lanes_x16(size_t count)
{
    return (__mmask16)(count >= F32X16 ? 0xFFFFu : (1u << count) - 1u);
}

/* ---- Halves of 8 lanes ---- */

#define ALL_LANES_X8 ((__mmask8)0xFF)

/* Returns a mask of the first `count` < 8 lanes. */
DOWNHILL_INLINE __mmask8 first_lanes_of_8(size_t count)
{
    return (__mmask8)((1u << count) - 1u);
}

/* Joins two halves that are loaded. A masked broadcast takes its operand from memory, like an insertion, which GCC would
 * feed from a copy on the stack. */
DOWNHILL_INLINE __m512 joined_x8(__m256 low, __m256 high)
{
    return _mm512_mask_broadcast_f32x8(_mm512_broadcast_f32x8(low), (__mmask16)0xFF00, high);
}

/* Widens 8 bf16 in each half, given twice. One shuffle of bytes moves each to the upper half of its lane. */
DOWNHILL_INLINE __m512 widened_halves(__m512i bf16)
{
    /* Bytes of the first four features for parts 0 and 2, of the others for parts 1 and 3; 0x80 gives 0. */
    const __m512i bytes =
        _mm512_setr_epi32(0x01008080, 0x03028080, 0x05048080, 0x07068080, 0x09088080, 0x0B0A8080,
                          0x0D0C8080, 0x0F0E8080, 0x01008080, 0x03028080, 0x05048080, 0x07068080,
                          0x09088080, 0x0B0A8080, 0x0D0C8080, 0x0F0E8080);
    return _mm512_castsi512_ps(_mm512_shuffle_epi8(bf16, bytes));
}

/* Loads the features of the lanes that are on, of one sample into both halves. */
DOWNHILL_INLINE __m512 features_twice(const enum element element, __mmask8 lanes, const void *row,
                                      size_t k)
{
    if (element == ELEMENT_F32)
        return _mm512_broadcast_f32x8(_mm256_maskz_loadu_ps(lanes, (const float *)row + k));
    return widened_halves(
        _mm512_broadcast_i32x4(_mm_maskz_loadu_epi16(lanes, (const uint16_t *)row + k)));
}

/* Loads the features of the lanes that are on, of one sample into the lower half and of another into the upper half. */
DOWNHILL_INLINE __m512 features_of_pair(const enum element element, __mmask8 lanes,
                                        const void *row_a, const void *row_b, size_t k)
{
    if (element == ELEMENT_F32)
        return joined_x8(_mm256_maskz_loadu_ps(lanes, (const float *)row_a + k),
                         _mm256_maskz_loadu_ps(lanes, (const float *)row_b + k));
    const __m128i a = _mm_maskz_loadu_epi16(lanes, (const uint16_t *)row_a + k),
                  b = _mm_maskz_loadu_epi16(lanes, (const uint16_t *)row_b + k);
    return widened_halves(
        _mm512_mask_broadcast_i32x4(_mm512_broadcast_i32x4(a), (__mmask16)0xFF00, b));
}

/* A tail of rows: fewer features than a vector has, of 16 or of 8 in both halves, after at least one full vector. It
 * is loaded together with the features before it, and its lanes are then moved to the front. A masked load that
 * crosses a cache line takes 4 cycles more; one that reaches into an unmapped page takes a microcode assist of 100 ns
 * (Zen 5). */
struct tail {
    size_t back;     /* features before the tail that are loaded with it */
    __m512i order;   /* permutation that moves the tail to the front */
    __mmask16 lanes; /* lanes of the tail after the permutation */
};

DOWNHILL_INLINE struct tail tail_of(size_t back, __mmask16 lanes)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return (struct tail){back, _mm512_add_epi32(lane, _mm512_set1_epi32((int)back)), lanes};
}

DOWNHILL_INLINE struct tail tail_x8_of(size_t d)
{
    return tail_of(F32X8 - d % F32X8, (__mmask16)(first_lanes_of_8(d % F32X8) * 0x101u));
}

DOWNHILL_INLINE struct tail tail_x16_of(size_t d)
{
    return tail_of(F32X16 - d % F32X16, first_lanes_x16(d % F32X16));
}

/* Moves a tail to the front of a vector that was loaded `back` features early; the other lanes become 0. */
DOWNHILL_INLINE __m512 moved_to_front(const struct tail *tail, __m512 early)
{
    return _mm512_maskz_permutexvar_ps(tail->lanes, tail->order, early);
}

/* Where a tile of the gradient prefetches: in the next rows of the block, into L1; in the next block of rows (prefetch.h);
 * or further along its own rows, at the features of the next tile, into L2 or L1. */
enum target { NEXT_ROWS, NEXT_BLOCK, AHEAD_L2, AHEAD_L1 };

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

/* Hides how a mask was made. With -fno-honor-nans Clang 14 takes NaN for impossible in comparisons into masks, in
 * spite of the pragma in isa/arithmetic.h, and "not less than or equal" becomes "greater than". */
DOWNHILL_INLINE __mmask16 opaque_mask(__mmask16 lanes)
{
#if defined __clang__
    __asm__("" : "+k"(lanes));
#endif
    return lanes;
}

/* Sums each 128-bit part of four vectors: lane q of part p of the result is the sum of part p of vector q. */
DOWNHILL_INLINE __m512 sum_parts(__m512 v0, __m512 v1, __m512 v2, __m512 v3)
{
    const __m512 s01 = _mm512_add_ps(_mm512_unpacklo_ps(v0, v1), _mm512_unpackhi_ps(v0, v1));
    const __m512 s23 = _mm512_add_ps(_mm512_unpacklo_ps(v2, v3), _mm512_unpackhi_ps(v2, v3));
    return _mm512_add_ps(_mm512_shuffle_ps(s01, s23, _MM_SHUFFLE(1, 0, 1, 0)),
                         _mm512_shuffle_ps(s01, s23, _MM_SHUFFLE(3, 2, 3, 2)));
}

/* Given the result of sum_parts(), returns the horizontal sums of the lower halves of the four vectors in part 0, those of
 * the upper halves in part 2. */
DOWNHILL_INLINE __m512 sum_halves(__m512 p)
{
    return _mm512_add_ps(p, _mm512_shuffle_f32x4(p, p, _MM_SHUFFLE(2, 3, 0, 1)));
}

/* Returns the sums of lanes 8 apart, of u in the lower half and of v in the upper half. */
DOWNHILL_INLINE __m512 halves_added(__m512 u, __m512 v)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(u, v, _MM_SHUFFLE(1, 0, 1, 0)),
                         _mm512_shuffle_f32x4(u, v, _MM_SHUFFLE(3, 2, 3, 2)));
}

/* Returns the sums of neighbouring 128-bit parts, of u in the lower half and of v in the upper half. */
DOWNHILL_INLINE __m512 parts_added(__m512 u, __m512 v)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(u, v, _MM_SHUFFLE(2, 0, 2, 0)),
                         _mm512_shuffle_f32x4(u, v, _MM_SHUFFLE(3, 1, 3, 1)));
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

/* Sets the scores of one sample from its dot products, in the lanes that are on. Memory of the other lanes is not
 * touched. */
DOWNHILL_INLINE void set_some_x4(struct scores scores, __mmask8 lanes, __m128 dot)
{
    _mm_mask_storeu_ps(scores.to, lanes, _mm_add_ps(_mm_maskz_loadu_ps(lanes, scores.from), dot));
}

DOWNHILL_INLINE void set_some_x8(struct scores scores, __mmask8 lanes, __m256 dot)
{
    _mm256_mask_storeu_ps(scores.to, lanes,
                          _mm256_add_ps(_mm256_maskz_loadu_ps(lanes, scores.from), dot));
}

/* Sets the scores of one sample by its sums. Those of classes 2q and 2q + 1 are the halves of vector q. */
DOWNHILL_INLINE void set_pairs_of_classes(const int classes, const __m512 *sum_f32x16,
                                          struct scores scores)
{
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j += 8) {
        __m512 four[4];
        DOWNHILL_UNROLL
        for (int q = 0; q < 4; q++)
            four[q] = j + 2 * q < classes ? sum_f32x16[j / 2 + q] : _mm512_setzero_ps();
        const __m512 sums = sum_halves(sum_parts(four[0], four[1], four[2], four[3]));
        const __m128 even = _mm512_castps512_ps128(sums), odd = _mm512_extractf32x4_ps(sums, 2);
        const __mmask16 lanes = first_lanes_x16((size_t)(classes - j));
        set_some_x4(scores_at(scores, 0, (size_t)j), (__mmask8)(lanes & 0xF),
                    _mm_unpacklo_ps(even, odd));
        if (classes - j > 4)
            set_some_x4(scores_at(scores, 0, (size_t)j + 4), (__mmask8)(lanes >> 4 & 0xF),
                        _mm_unpackhi_ps(even, odd));
    }
}

/* Returns the horizontal sums of 16 vectors, given four results of sum_parts(). */
DOWNHILL_INLINE __m512 sum_16(const __m512 p[4])
{
    return parts_added(halves_added(p[0], p[1]), halves_added(p[2], p[3]));
}

/* Accumulators per sample of a tile of packed scores. Accumulators past the classes of the tile are zero. */
enum { SUMS_OF_ROW = 12 };

/* Sets the scores of a tile by the horizontal sums of the accumulators. */
DOWNHILL_INLINE void set_scores(const int rows, const int classes, const __m512 *sum_f32x16,
                                struct scores scores)
{
    const __mmask16 lanes = first_lanes_x16((size_t)classes);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512 *s = sum_f32x16 + r * SUMS_OF_ROW;
        const __m512 part[4] = {sum_parts(s[0], s[1], s[2], s[3]),
                                sum_parts(s[4], s[5], s[6], s[7]),
                                sum_parts(s[8], s[9], s[10], s[11]), _mm512_setzero_ps()};
        const struct scores s_r = scores_at(scores, (size_t)r, 0);
        const __m512 from = _mm512_maskz_loadu_ps(lanes, s_r.from);
        _mm512_mask_storeu_ps(s_r.to, lanes, _mm512_add_ps(from, sum_16(part)));
    }
}

#endif
