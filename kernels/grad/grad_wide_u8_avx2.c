/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits with AVX2: VPMADDWD and VPADDD. */
#define DOWNHILL_LEVEL_NAME avx2
#include "simd/avx2_u8.h"

DOWNHILL_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i g)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, g));
}

#include "grad/grad_wide_u8_avx2.h"
