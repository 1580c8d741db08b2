/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_u8_avx2.c and *_u8_avxvnni.c sources. */
#ifndef DOWNHILL_AVX2_U8_H
#define DOWNHILL_AVX2_U8_H

#include "simd/avx2.h"

enum { U8X32 = 32, I16X16 = 16 };

/* Of AVX-VNNI; its tests, on CPUs that have those of AVX-512 instead, define them as these. */
#if defined DOWNHILL_VNNI && !defined DOWNHILL_DPWSSD
#define DOWNHILL_DPWSSD _mm256_dpwssd_avx_epi32
#define DOWNHILL_DPBUSD _mm256_dpbusd_avx_epi32
#endif

/* The value, in a register from here on. A load with several uses is not folded into each of them; and
 * an accumulator stays where it is, which GCC 12 otherwise moves to and fro, or to the stack, where it is
 * of integers. */
DOWNHILL_INLINE __m256i in_register_i(__m256i v)
{
    __asm__("" : "+x"(v));
    return v;
}

DOWNHILL_INLINE __m256i load_i(const void *from)
{
    return _mm256_loadu_si256(from);
}

DOWNHILL_INLINE void store_i(void *to, __m256i v)
{
    _mm256_storeu_si256(to, v);
}

/* sum += a·b, 16 integers of 16 bits two by two: one instruction where there is VNNI. */
DOWNHILL_INLINE __m256i add_pairs(__m256i sum, __m256i a, __m256i b)
{
#ifdef DOWNHILL_DPWSSD
    return in_register_i(DOWNHILL_DPWSSD(sum, a, b));
#else
    return in_register_i(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));
#endif
}

/* Rows of fewer than 32 features, zeros behind them: AVX2 has no masked load of bytes. */
struct short_rows {
    uint8_t copy[BLOCK_ROWS_MAX + U8_ROWS_PAST_END][U8X32];
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
};

DOWNHILL_INLINE void copy_short_rows(size_t n, size_t d, const void *const *x,
                                     struct short_rows *rows)
{
    for (size_t i = 0; i < n + U8_ROWS_PAST_END; i++) {
        memset(rows->copy[i], 0, U8X32);
        memcpy(rows->copy[i], x[i], d);
        rows->x[i] = rows->copy[i];
    }
}

/* The last features are summed together with those before them, 32 in all, or, if there are not as
 * many, with zeros. Of their sums `count` from the first-th on become dw, or are added to it. */
DOWNHILL_INLINE void add_last_sums(int32_t sums[PANEL_CLASSES][U8X32], size_t first, size_t count,
                                   size_t c, unsigned accumulate, int32_t *dw, size_t lddw)
{
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < count; k++)
            dw[j * lddw + k] = wrapped_sum(accumulate ? dw[j * lddw + k] : 0, sums[j][first + k]);
}

/* The sums of the lanes of two vectors; those of two lanes must fit 32 bits. */
DOWNHILL_INLINE __m128d sum_lanes_f64(__m256i v0, __m256i v1)
{
    const __m256i pairs =
        _mm256_add_epi32(_mm256_unpacklo_epi32(v0, v1), _mm256_unpackhi_epi32(v0, v1));
    const __m256d halves = _mm256_add_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(pairs)),
                                         _mm256_cvtepi32_pd(_mm256_extracti128_si256(pairs, 1)));
    return _mm_add_pd(_mm256_castpd256_pd128(halves), _mm256_extractf128_pd(halves, 1));
}

#endif
