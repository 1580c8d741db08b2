/* SPDX-License-Identifier: MIT
 *
 * VPDPBUSD and VPDPWSSD of 256 bits with AVX2 instructions, for machines without AVX-VNNI. */
#ifndef DOWNHILL_TESTS_AVXVNNI_EMULATION_H
#define DOWNHILL_TESTS_AVXVNNI_EMULATION_H

#include <immintrin.h>

/* Adds products of bytes, four by four; a is unsigned, b is signed. */
static inline __m256i emulated_dpbusd(__m256i sum, __m256i a, __m256i b)
{
    const __m256i low = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(a)),
                                          _mm256_cvtepi8_epi16(_mm256_castsi256_si128(b)));
    const __m256i high = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(a, 1)),
                                           _mm256_cvtepi8_epi16(_mm256_extracti128_si256(b, 1)));
    /* Adds neighbours. The 64-bit quarters are from low, high, low, high. */
    const __m256i sums = _mm256_hadd_epi32(low, high);
    return _mm256_add_epi32(sum, _mm256_permute4x64_epi64(sums, _MM_SHUFFLE(3, 1, 2, 0)));
}

/* Adds products of 16-bit integers, two by two. */
static inline __m256i emulated_dpwssd(__m256i sum, __m256i a, __m256i b)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

#define DOWNHILL_DPBUSD emulated_dpbusd
#define DOWNHILL_DPWSSD emulated_dpwssd

#endif
