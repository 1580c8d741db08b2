/* SPDX-License-Identifier: MIT
 *
 * For gradients by VPMADDUBSW, which multiplies pairs of bytes by pairs of signed ones and adds them
 * to 16 bits: dscores in pairs of samples, and the runs of pairs whose sums fit 16 bits. */
#ifndef DOWNHILL_GRAD_U8_PAIRS_H
#define DOWNHILL_GRAD_U8_PAIRS_H

#include "isa/kernels.h"

#include <immintrin.h>

/* 255·128 < 2¹⁵ <= 255·129. With dscores of at most half of it a pair always fits. */
enum { PAIR = 2, PAIRS_MAX = BLOCK_ROWS_MAX / PAIR, RUN_SUM_MAX = 128, G_MAX = RUN_SUM_MAX / PAIR };

struct pairs_of_block {
    size_t n_runs;
    size_t run_end[PAIRS_MAX]; /* in pairs */
    /* For each class two bytes, the earlier sample in the lower, and the same again: a broadcast of
     * 32 bits is a load, one of 16 a load and a shuffle. */
    __m256i pair[PAIRS_MAX][2];
};

/* Returns whether there are outliers, in whose place there is 0. A run ends before Σ|g| exceeds
 * RUN_SUM_MAX for some class: of the hinge loss with 10 classes after some 70 samples while no margin
 * is met, after a hundred and more when most are. */
DOWNHILL_TARGET
static int make_pairs(size_t n, downhill_dscores dscores, struct pairs_of_block *pairs)
{
    const __m256i most = _mm256_set1_epi16(G_MAX), least = _mm256_set1_epi16(-G_MAX);
    __m256i outliers = _mm256_setzero_si256(), sum = _mm256_setzero_si256();
    pairs->n_runs = 0;
    for (size_t i = 0; i < n; i += PAIR) {
        __m256i g[PAIR];
        for (int r = 0; r < PAIR; r++) {
            const __m256i all = _mm256_loadu_si256((const void *)dscores[i + (size_t)r]);
            const __m256i bad =
                _mm256_or_si256(_mm256_cmpgt_epi16(all, most), _mm256_cmpgt_epi16(least, all));
            outliers = _mm256_or_si256(outliers, bad);
            g[r] = _mm256_andnot_si256(bad, all);
        }
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
    return !_mm256_testz_si256(outliers, outliers);
}

#endif
