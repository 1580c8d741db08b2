/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits with AVX-VNNI: VPDPWSSD. */
#define DOWNHILL_LEVEL_NAME avxvnni
#define DOWNHILL_VNNI
#include "simd/avx2_u8.h"

DOWNHILL_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i g)
{
    return DOWNHILL_DPWSSD(sum, x, g);
}

#include "grad/grad_wide_u8_avx2.h"
