/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_u8_avx512*.c sources. */
#ifndef DOWNHILL_AVX512_U8_H
#define DOWNHILL_AVX512_U8_H

#include "simd/avx512.h"

enum { U8X64 = 64, U8X32 = 32 };

DOWNHILL_INLINE __mmask32 first_bytes_x32(size_t count)
{
    return (__mmask32)(count >= U8X32 ? 0xFFFFFFFFu : (UINT32_C(1) << count) - 1u);
}

DOWNHILL_INLINE __mmask64 first_bytes_x64(size_t count)
{
    return (__mmask64)(count >= U8X64 ? UINT64_MAX : (UINT64_C(1) << count) - 1u);
}

/* Forces a value into a register at this point, so that a load with several uses is not folded into each of them. It
 * also keeps an integer accumulator in its register: GCC 12 otherwise moves it back and forth, or spills it to the
 * stack. */
DOWNHILL_INLINE __m512i in_register_i(__m512i v)
{
    __asm__("" : "+v"(v));
    return v;
}

/* Returns the horizontal sums of four vectors. The sum of two lanes must fit in 32 bits. */
DOWNHILL_INLINE __m256d sum_lanes_f64(__m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i s01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v0, v1), //
                                         _mm512_unpackhi_epi32(v0, v1));
    const __m512i s23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v2, v3), //
                                         _mm512_unpackhi_epi32(v2, v3));
    const __m512d d01 = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s01)),
                                      _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s01, 1)));
    const __m512d d23 = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s23)),
                                      _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s23, 1)));
    const __m256d q01 = _mm256_add_pd(_mm512_castpd512_pd256(d01), _mm512_extractf64x4_pd(d01, 1));
    const __m256d q23 = _mm256_add_pd(_mm512_castpd512_pd256(d23), _mm512_extractf64x4_pd(d23, 1));
    return _mm256_add_pd(_mm256_permute2f128_pd(q01, q23, 0x20),
                         _mm256_permute2f128_pd(q01, q23, 0x31));
}

#endif
