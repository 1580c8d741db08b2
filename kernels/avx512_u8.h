/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_u8_avx512*.c sources. */
#ifndef DOWNHILL_AVX512_U8_H
#define DOWNHILL_AVX512_U8_H

#include "avx512.h"

enum { U8X64 = 64, U8X32 = 32 };

DOWNHILL_INLINE __mmask32 first_bytes_x32(size_t count)
{
    return (__mmask32)(count >= U8X32 ? 0xFFFFFFFFu : (UINT32_C(1) << count) - 1u);
}

DOWNHILL_INLINE __mmask64 first_bytes_x64(size_t count)
{
    return (__mmask64)(count >= U8X64 ? UINT64_MAX : (UINT64_C(1) << count) - 1u);
}

/* The value, in a register from here on. A load with several uses is not folded into each of them; and
 * an accumulator stays where it is, which GCC 12 otherwise moves to and fro, or to the stack, where it is
 * of integers. */
DOWNHILL_INLINE __m512i in_register_i(__m512i v)
{
    __asm__("" : "+v"(v));
    return v;
}

/* sum += a·b, 32 integers of 16 bits two by two: one instruction where there is VNNI. */
DOWNHILL_INLINE __m512i add_pairs(__m512i sum, __m512i a, __m512i b)
{
#ifdef __AVX512VNNI__
    return in_register_i(_mm512_dpwssd_epi32(sum, a, b));
#else
    return in_register_i(_mm512_add_epi32(sum, _mm512_madd_epi16(a, b)));
#endif
}

/* The sums of the lanes of four vectors; those of four lanes must fit 32 bits. */
DOWNHILL_INLINE __m256d sum_lanes_f64(__m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i s01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v0, v1), //
                                         _mm512_unpackhi_epi32(v0, v1));
    const __m512i s23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v2, v3), //
                                         _mm512_unpackhi_epi32(v2, v3));
    const __m512i parts = _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23), //
                                           _mm512_unpackhi_epi64(s01, s23));
    const __m512d halves = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(parts)),
                                         _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(parts, 1)));
    return _mm256_add_pd(_mm512_castpd512_pd256(halves), _mm512_extractf64x4_pd(halves, 1));
}

/* Samples whose bytes go together, and vectors that they make of 64 features. */
enum { QUAD = 4, X_QUADS = 4 };

/* The four bytes of features 16p … 16p+3 of four rows together, then those of 16p+4 … 16p+7, 16p+8 …
 * 16p+11, 16p+12 … 16p+15, for the parts p of a vector. */
struct x_quads {
    __m512i of_x[X_QUADS];
};

DOWNHILL_INLINE struct x_quads interleaved_quads(__mmask64 bytes, size_t k, const void *const *x)
{
    __m512i row[QUAD];
    DOWNHILL_UNROLL
    for (int r = 0; r < QUAD; r++)
        row[r] = _mm512_maskz_loadu_epi8(bytes, (const uint8_t *)x[r] + k);
    const __m512i low_01 = _mm512_unpacklo_epi8(row[0], row[1]);
    const __m512i high_01 = _mm512_unpackhi_epi8(row[0], row[1]);
    const __m512i low_23 = _mm512_unpacklo_epi8(row[2], row[3]);
    const __m512i high_23 = _mm512_unpackhi_epi8(row[2], row[3]);
    return (struct x_quads){
        {_mm512_unpacklo_epi16(low_01, low_23), _mm512_unpackhi_epi16(low_01, low_23),
         _mm512_unpacklo_epi16(high_01, high_23), _mm512_unpackhi_epi16(high_01, high_23)}};
}

/* The sums of 64 features in their order. */
DOWNHILL_INLINE void put_quads_in_order(const __m512i sum[X_QUADS], size_t left,
                                        unsigned accumulate, int32_t *dw)
{
    const __m512i s01_low = _mm512_shuffle_i32x4(sum[0], sum[1], _MM_SHUFFLE(1, 0, 1, 0));
    const __m512i s01_high = _mm512_shuffle_i32x4(sum[0], sum[1], _MM_SHUFFLE(3, 2, 3, 2));
    const __m512i s23_low = _mm512_shuffle_i32x4(sum[2], sum[3], _MM_SHUFFLE(1, 0, 1, 0));
    const __m512i s23_high = _mm512_shuffle_i32x4(sum[2], sum[3], _MM_SHUFFLE(3, 2, 3, 2));
    const __m512i in_order[X_QUADS] = {
        _mm512_shuffle_i32x4(s01_low, s23_low, _MM_SHUFFLE(2, 0, 2, 0)),
        _mm512_shuffle_i32x4(s01_low, s23_low, _MM_SHUFFLE(3, 1, 3, 1)),
        _mm512_shuffle_i32x4(s01_high, s23_high, _MM_SHUFFLE(2, 0, 2, 0)),
        _mm512_shuffle_i32x4(s01_high, s23_high, _MM_SHUFFLE(3, 1, 3, 1)),
    };
    DOWNHILL_UNROLL
    for (size_t v = 0; v < X_QUADS; v++) {
        const size_t first = F32X16 * v;
        const __mmask16 lanes = first_lanes_x16(left > first ? left - first : 0);
        const __m512i before =
            accumulate ? _mm512_maskz_loadu_epi32(lanes, dw + first) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(dw + first, lanes, _mm512_add_epi32(before, in_order[v]));
    }
}

#endif
