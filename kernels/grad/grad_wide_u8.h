/* SPDX-License-Identifier: MIT
 *
 * Packs dscores of 16 bits for VPMADDWD and VPDPWSSD, which multiply pairs of 16-bit integers and add the two products to
 * 32 bits. The bytes of two samples, widened to 16 bits, are one operand; their dscores of a class are the other. 256
 * samples of 255 with dscores of -2¹⁵ stay above -2³¹. */
#ifndef DOWNHILL_GRAD_WIDE_U8_H
#define DOWNHILL_GRAD_WIDE_U8_H

#include "grad/grad_u8_dscores.h"

enum { PAIR = 2, PAIRS_MAX = BLOCK_ROWS_MAX / PAIR, PAIR_CLASSES = 16 };

/* Dscores of two samples, the first in the lower half, for each class. */
typedef int32_t pairs_of_block[PAIRS_MAX][PAIR_CLASSES];

/* Packs the dscores of a block and adds them to db unless it is NULL. */
DOWNHILL_TARGET
static void make_pairs(size_t n, size_t c, const int16_t *dscores, size_t ldds,
                       pairs_of_block pairs, int32_t *db)
{
    const struct dscore_lanes lanes = dscore_lanes_of(c);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i low_sum = _mm256_setzero_si256(), high_sum = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += PAIR) {
        const __m256i g_0 = load_dscores(lanes, c, dscores + i * ldds);
        const __m256i g_1 =
            i + 1 < n ? load_dscores(lanes, c, dscores + (i + 1) * ldds) : _mm256_setzero_si256();
        const __m256i low = _mm256_unpacklo_epi16(g_0, g_1);
        const __m256i high = _mm256_unpackhi_epi16(g_0, g_1);
        low_sum = _mm256_add_epi32(low_sum, _mm256_madd_epi16(low, ones));
        high_sum = _mm256_add_epi32(high_sum, _mm256_madd_epi16(high, ones));
        int32_t *pair = pairs[i / PAIR];
        _mm256_storeu_si256((void *)pair, _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_storeu_si256((void *)(pair + 8), _mm256_permute2x128_si256(low, high, 0x31));
    }
    if (db != NULL)
        add_bias_sums(low_sum, high_sum, c, db);
}

#endif
