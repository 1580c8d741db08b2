/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F and packed weights. A register tile holds the dot products of 4 samples × up to 10 classes, with
 * the features along the lanes. Each line of X is read once.
 *
 * As in score_f32_avx512.c a dot product has 8 sums. A vector holds those of two classes, which are neighbours in packed
 * weights. Per 8 features a tile of 4 × 10 broadcasts 4 halves of X and loads 5 vectors of W for 20 FMAs: 10 cycles of
 * FMAs at two per cycle against 4.5 cycles of loads. It reads 4 half lines of X in 10 cycles, and can prefetch
 * the next rows at the same pace. Six classes or fewer take 8 samples, to keep 8 independent sums (latency of 4 cycles × 2
 * units), and prefetch at half of the pace.
 *
 * Trap: rows of W a multiple of 4 KiB apart would all fall on one set of L1. Packed vectors are adjacent: they need one
 * pointer and fall on different sets.
 *
 * Tails: the last samples one at a time, a masked load for the last features of X; those of W are zeros. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { ROWS_MAX = 8, VECTORS_MAX = 5 };

/* Adds X Wᵀ over 8 features, of which X has only `lanes`, to the sums. */
DOWNHILL_INLINE void add_features(const enum element element, const int rows, const int classes,
                                  __mmask8 lanes, const void *const x_row[ROWS_MAX], const float *w,
                                  size_t k, __m512 sum_f32x16[ROWS_MAX][VECTORS_MAX])
{
    __m512 w_f32x16[VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int q = 0; q < (classes + 1) / 2; q++) {
        const __mmask16 there = 2 * q + 1 < classes ? 0xFFFF : 0x00FF;
        w_f32x16[q] = in_register_x16(_mm512_maskz_loadu_ps(there, w + F32X16 * q));
    }
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512 x_f32x16 = in_register_x16(features_twice(element, lanes, x_row[r], k));
        DOWNHILL_UNROLL
        for (int q = 0; q < (classes + 1) / 2; q++)
            sum_f32x16[r][q] = _mm512_fmadd_ps(x_f32x16, w_f32x16[q], sum_f32x16[r][q]);
    }
}

/* Adds X Wᵀ of `rows` samples to the scores. A tile of one sample prefetches nothing. */
DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const float *w, float *scores, size_t lds,
                          struct prefetch *prefetch)
{
    const void *x_row[ROWS_MAX];
    __m512 sum_f32x16[ROWS_MAX][VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        x_row[r] = x[r];
        for (int q = 0; q < (classes + 1) / 2; q++)
            sum_f32x16[r][q] = _mm512_setzero_ps();
    }

    size_t k = 0, steps = d / F32X8;
    struct prefetch_run run = rows > 1 ? prefetch_take(prefetch, &steps) : prefetch_none(w);
    for (; k + F32X8 <= d; k += F32X8, w += F32X8 * classes) {
        if (rows > 1)
            prefetch_step(&run);
        add_features(element, rows, classes, ALL_LANES_X8, x_row, w, k, sum_f32x16);
    }
    if (k < d)
        add_features(element, rows, classes, first_lanes_of_8(d - k), x_row, w, k, sum_f32x16);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        add_pairs_of_classes(classes, sum_f32x16[r], scores + (size_t)r * lds);
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int rows, const int classes,
                                     size_t n, size_t d, const void *const *x, const float *w,
                                     float *scores, size_t lds, struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + (size_t)rows <= n; i += (size_t)rows)
        tile(element, rows, classes, d, x + i, w, scores + i * lds, lds, prefetch);
    for (; i < n; i++)
        tile(element, 1, classes, d, x + i, w, scores + i * lds, lds, prefetch);
}

/* A panel has 4 classes or more. */
DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, const float *w, float *scores, size_t lds,
                             struct prefetch *prefetch)
{
    switch (c) {
    case 10:
        column_of_tiles(element, 4, 10, n, d, x, w, scores, lds, prefetch);
        break;
    case 9:
        column_of_tiles(element, 4, 9, n, d, x, w, scores, lds, prefetch);
        break;
    case 8:
        column_of_tiles(element, 4, 8, n, d, x, w, scores, lds, prefetch);
        break;
    case 7:
        column_of_tiles(element, 4, 7, n, d, x, w, scores, lds, prefetch);
        break;
    case 6:
        column_of_tiles(element, 8, 6, n, d, x, w, scores, lds, prefetch);
        break;
    case 5:
        column_of_tiles(element, 8, 5, n, d, x, w, scores, lds, prefetch);
        break;
    default:
        column_of_tiles(element, 8, 4, n, d, x, w, scores, lds, prefetch);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *w, float *scores, size_t lds,
                                     struct prefetch *prefetch)
{
    columns(ELEMENT_F32, n, d, c, x, w, scores, lds, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *w, float *scores, size_t lds,
                                      struct prefetch *prefetch)
{
    columns(ELEMENT_BF16, n, d, c, x, w, scores, lds, prefetch);
}
