/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits with AVX-512: VPMADDWD and VPADDD. */
#define DOWNHILL_LEVEL_NAME avx512
#include "simd/avx512_u8.h"

DOWNHILL_INLINE __m512i add_products(__m512i sum, __m512i x, __m512i g)
{
    return _mm512_add_epi32(sum, _mm512_madd_epi16(x, g));
}

#include "grad/grad_wide_u8_avx512.h"
