/* SPDX-License-Identifier: MIT
 *
 * Scores of bf16 features with AVX512-BF16 and packed weights. The register tiles are those of
 * score_packed_f32_avx512.c.
 *
 * VDPBF16PS needs both factors in bf16, so each weight is split into two terms, w ≈ high + low. Per 32 features a tile
 * of 2 samples × 10 classes loads 2 vectors of X and 20 of W for 40 VDPBF16PS: 20 cycles at two per cycle (Zen 5)
 * against 11 cycles of loads, as with packed f32. The two terms use up what the instruction gains over an FMA. What
 * remains is that nothing is widened: the bf16 kernel of level avx512 issues 8 conversions and shifts for the same 32
 * features.
 *
 * Error: the split is off by at most 2⁻¹⁷·|w| = 128·u·|w|, and |high| + |low| <= (1 + 2⁻⁷)·|w|. In units of u·Σ|x w|
 * the error is then below 128 + (1 + 2⁻⁷)·m, where m counts roundings: 4·⌈d/32⌉ in a lane, and per chunk of 512
 * features 4 to sum the lanes and 1 to add to the score. From d = 154 on that is less than the d + 2 of the bound in
 * downhill.h; d_min is 160.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx512bf16
#include "simd/avx512bf16.h"

enum { TILE_ROWS = 4 };

/* Packs weights. Per 32 features, the high terms of the first class, its low terms, then those of the second class, and
 * so on; zeros after the last feature. */
DOWNHILL_TARGET
void DOWNHILL_NAME(pack_bf16)(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    for (size_t k = 0; k < d; k += BF16X32)
        for (size_t j = 0; j < c; j++, packed += BF16X32) {
            const struct terms_x32 terms = split_x32(w + j * ldw + k, d - k);
            _mm512_storeu_si512(packed, terms.high);
            _mm512_storeu_si512(packed + F32X16, terms.low);
        }
}

/* Sets the scores of `rows` samples. A tile of one sample prefetches nothing. */
DOWNHILL_INLINE void tile(const int rows, const int classes, size_t d, const void *const *x,
                          const float *w, struct scores scores, struct prefetch *prefetch)
{
    const void *x_row[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m512 sum_f32x16[TILE_ROWS * SUMS_OF_ROW]; /* row by row; zero past the classes */
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * SUMS_OF_ROW; s++)
        sum_f32x16[s] = _mm512_setzero_ps();

    size_t steps = d / BF16X32;
    struct prefetch_run run = rows > 1 ? prefetch_take(prefetch, &steps) : prefetch_none(w);
    size_t k = 0;
    for (; k + BF16X32 <= d; k += BF16X32) {
        if (rows > 1)
            prefetch_step(&run);
        __m512i x_bf16x32[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            x_bf16x32[r] = _mm512_loadu_si512((const uint16_t *)x_row[r] + k);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512i high = _mm512_loadu_si512(w + F32X16 * (size_t)(TERMS * j));
            const __m512i low = _mm512_loadu_si512(w + F32X16 * (size_t)(TERMS * j + 1));
            for (int r = 0; r < rows; r++) {
                __m512 *sum = &sum_f32x16[r * SUMS_OF_ROW + j];
                *sum = add_products(add_products(*sum, x_bf16x32[r], high), x_bf16x32[r], low);
            }
        }
        w += TERMS * F32X16 * (size_t)classes;
    }
    if (k < d) {
        const __mmask32 tail = first_lanes_x32(d - k);
        for (int r = 0; r < rows; r++) {
            const __m512i x_bf16x32 = some_features_x32(tail, x_row[r], k);
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                const __m512i high = _mm512_loadu_si512(w + F32X16 * (size_t)(TERMS * j));
                const __m512i low = _mm512_loadu_si512(w + F32X16 * (size_t)(TERMS * j + 1));
                __m512 *sum = &sum_f32x16[r * SUMS_OF_ROW + j];
                *sum = add_products(add_products(*sum, x_bf16x32, high), x_bf16x32, low);
            }
        }
    }

    set_scores(rows, classes, sum_f32x16, scores);
}

DOWNHILL_INLINE void column_of_tiles(const int rows, const int classes, size_t n, size_t d,
                                     const void *const *x, const float *w, struct scores scores,
                                     struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + (size_t)rows <= n; i += (size_t)rows)
        tile(rows, classes, d, x + i, w, scores_at(scores, i, 0), prefetch);
    for (; i < n; i++)
        tile(1, classes, d, x + i, w, scores_at(scores, i, 0), prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *packed, const struct scores *scores,
                                      struct prefetch *prefetch)
{
    switch (c) {
    case 10:
        column_of_tiles(2, 10, n, d, x, packed, *scores, prefetch);
        break;
    case 9:
        column_of_tiles(2, 9, n, d, x, packed, *scores, prefetch);
        break;
    case 8:
        column_of_tiles(2, 8, n, d, x, packed, *scores, prefetch);
        break;
    case 7:
        column_of_tiles(2, 7, n, d, x, packed, *scores, prefetch);
        break;
    case 6:
        column_of_tiles(2, 6, n, d, x, packed, *scores, prefetch);
        break;
    case 5:
        column_of_tiles(4, 5, n, d, x, packed, *scores, prefetch);
        break;
    case 4:
        column_of_tiles(4, 4, n, d, x, packed, *scores, prefetch);
        break;
    case 3:
        column_of_tiles(4, 3, n, d, x, packed, *scores, prefetch);
        break;
    case 2:
        column_of_tiles(4, 2, n, d, x, packed, *scores, prefetch);
        break;
    default:
        column_of_tiles(4, 1, n, d, x, packed, *scores, prefetch);
        break;
    }
}
