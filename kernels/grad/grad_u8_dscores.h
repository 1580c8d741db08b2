/* SPDX-License-Identifier: MIT
 *
 * Code shared by the gradients of bytes whose dscores are packed with AVX2: loads a row of dscores, and puts their sums
 * in order. */
#ifndef DOWNHILL_GRAD_U8_DSCORES_H
#define DOWNHILL_GRAD_U8_DSCORES_H

#include "isa/kernels.h"

#include <immintrin.h>

/* Lanes of the dscores of up to 16 classes: whole pairs, and the last one of an odd number. */
struct dscore_lanes {
    __m256i pairs, last;
};

DOWNHILL_INLINE struct dscore_lanes dscore_lanes_of(size_t c)
{
    const __m256i lane_i32x8 = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i lane_i16x16 =
        _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return (struct dscore_lanes){
        _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(c / 2)), lane_i32x8),
        c % 2 == 0 ? _mm256_setzero_si256()
                   : _mm256_cmpeq_epi16(_mm256_set1_epi16((short)(c - 1)), lane_i16x16)};
}

/* Loads the dscores of c classes, with zeros after the last. */
DOWNHILL_INLINE __m256i load_dscores(struct dscore_lanes lanes, size_t c, const int16_t *dscores)
{
    const __m256i pairs = _mm256_maskload_epi32((const void *)dscores, lanes.pairs);
    const __m256i last = _mm256_and_si256(_mm256_set1_epi16(dscores[c - 1]), lanes.last);
    return _mm256_or_si256(pairs, last);
}

/* Loads the dscores of c classes and replaces those beyond ±max by 0; sets lanes of *outliers for them. */
DOWNHILL_INLINE __m256i load_inliers(struct dscore_lanes lanes, size_t c, const int16_t *dscores,
                                     const int max, __m256i *outliers)
{
    const __m256i all = load_dscores(lanes, c, dscores);
    const __m256i too_large =
        _mm256_or_si256(_mm256_cmpgt_epi16(all, _mm256_set1_epi16((short)max)),
                        _mm256_cmpgt_epi16(_mm256_set1_epi16((short)-max), all));
    *outliers = _mm256_or_si256(*outliers, too_large);
    return _mm256_andnot_si256(too_large, all);
}

/* Adds the sums of dscores of c classes to db. In each 128-bit part p, `low` has those of classes 8p … 8p+3, `high` of
 * 8p+4 … 8p+7. */
DOWNHILL_INLINE void add_bias_sums(__m256i low, __m256i high, size_t c, int32_t *db)
{
    int32_t sums[16];
    _mm256_storeu_si256((void *)sums, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((void *)(sums + 8), _mm256_permute2x128_si256(low, high, 0x31));
    for (size_t j = 0; j < c; j++)
        db[j] = wrapped_sum(db[j], sums[j]);
}

#endif
