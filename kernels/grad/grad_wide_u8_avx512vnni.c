/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits with AVX512-VNNI: VPDPWSSD. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#include "simd/avx512_u8.h"

DOWNHILL_INLINE __m512i add_products(__m512i sum, __m512i x, __m512i g)
{
    return _mm512_dpwssd_epi32(sum, x, g);
}

#include "grad/grad_wide_u8_avx512.h"
