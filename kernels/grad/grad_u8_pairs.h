/* SPDX-License-Identifier: MIT
 *
 * Packs dscores for VPMADDUBSW, which multiplies pairs of unsigned bytes by pairs of signed bytes and adds the products
 * to 16 bits. The dscores are packed in pairs of samples, and the pairs are divided into runs whose sums fit in 16
 * bits. */
#ifndef DOWNHILL_GRAD_U8_PAIRS_H
#define DOWNHILL_GRAD_U8_PAIRS_H

#include "grad/grad_u8_dscores.h"

/* 255·128 < 2¹⁵ <= 255·129. With dscores of at most half of 128, a pair always fits. */
enum { PAIR = 2, PAIRS_MAX = BLOCK_ROWS_MAX / PAIR, RUN_SUM_MAX = 128, G_MAX = RUN_SUM_MAX / PAIR };

struct pairs_of_block {
    size_t n_runs;
    size_t run_end[PAIRS_MAX]; /* in pairs */
    /* Two bytes per class, the earlier sample in the lower one, and then the same two bytes again. A broadcast of 32
     * bits takes a load, one of 16 bits a load and a shuffle. */
    __m256i pair[PAIRS_MAX][2];
};

/* Packs the dscores of a block and adds them to db unless it is NULL. Replaces outliers by 0 and returns whether there
 * are any.
 *
 * A run ends before Σ|g| of some class exceeds RUN_SUM_MAX. For the hinge loss with 10 classes that is after about 70
 * samples while no margin is met, and after 100 or more when most are. */
DOWNHILL_TARGET
static int make_pairs(size_t n, size_t c, const int16_t *dscores, size_t ldds,
                      struct pairs_of_block *pairs, int32_t *db)
{
    const struct dscore_lanes lanes = dscore_lanes_of(c);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i low_sum = _mm256_setzero_si256(), high_sum = _mm256_setzero_si256();
    __m256i outliers = _mm256_setzero_si256(), sum = _mm256_setzero_si256();
    pairs->n_runs = 0;
    for (size_t i = 0; i < n; i += PAIR) {
        __m256i g[PAIR];
        for (size_t r = 0; r < PAIR; r++)
            g[r] = i + r < n ? load_inliers(lanes, c, dscores + (i + r) * ldds, G_MAX, &outliers)
                             : _mm256_setzero_si256();
        low_sum =
            _mm256_add_epi32(low_sum, _mm256_madd_epi16(_mm256_unpacklo_epi16(g[0], g[1]), ones));
        high_sum =
            _mm256_add_epi32(high_sum, _mm256_madd_epi16(_mm256_unpackhi_epi16(g[0], g[1]), ones));
        const __m256i magnitude = _mm256_add_epi16(_mm256_abs_epi16(g[0]), _mm256_abs_epi16(g[1]));
        sum = _mm256_add_epi16(sum, magnitude);
        const __m256i over = _mm256_cmpgt_epi16(sum, _mm256_set1_epi16(RUN_SUM_MAX));
        if (!_mm256_testz_si256(over, over)) {
            pairs->run_end[pairs->n_runs++] = i / PAIR;
            sum = magnitude;
        }
        const __m256i pair = _mm256_or_si256(_mm256_and_si256(g[0], _mm256_set1_epi16(UINT8_MAX)),
                                             _mm256_slli_epi16(g[1], 8));
        const __m256i low = _mm256_unpacklo_epi16(pair, pair);
        const __m256i high = _mm256_unpackhi_epi16(pair, pair);
        _mm256_store_si256(&pairs->pair[i / PAIR][0], _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_store_si256(&pairs->pair[i / PAIR][1], _mm256_permute2x128_si256(low, high, 0x31));
    }
    pairs->run_end[pairs->n_runs++] = (n + PAIR - 1) / PAIR;
    if (db != NULL)
        add_bias_sums(low_sum, high_sum, c, db);
    return !_mm256_testz_si256(outliers, outliers);
}

#endif
