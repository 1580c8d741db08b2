/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F and packed weights. A register tile holds the dot products of 2 samples × up to 10 classes, with
 * the features along the lanes. Each line of X is read once.
 *
 * Per 16 features a tile of 2 × 10 loads 2 vectors of X and 10 of W for 20 FMAs: 10 cycles of FMAs at two per cycle
 * against 6 cycles of loads. It reads 2 lines of X in 10 cycles. A tile of 4 × 5 would read 4, because it reads X from
 * L2 once per five classes. The next rows can be prefetched at the same pace. Five classes or fewer take 4 samples, to
 * keep 8 independent sums if possible (latency of 4 cycles × 2 units).
 *
 * Trap: rows of W a multiple of 4 KiB apart would all fall on one set of L1. Ten packed vectors are adjacent: they need
 * one pointer and fall on ten different sets.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { TILE_ROWS = 4 };

/* Adds X Wᵀ of `rows` samples to the scores. A tile of one sample prefetches nothing. */
DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const float *w, float *scores, size_t lds,
                          struct prefetch *prefetch)
{
    const void *x_row[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m512 sum_f32x16[TILE_ROWS * SUMS_OF_ROW]; /* row by row; zero past the classes */
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * SUMS_OF_ROW; s++)
        sum_f32x16[s] = _mm512_setzero_ps();

    size_t steps = d / F32X16;
    struct prefetch_run run = rows > 1 ? prefetch_take(prefetch, &steps) : prefetch_none(w);
    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16) {
        if (rows > 1)
            prefetch_step(&run);
        __m512 x_f32x16[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            x_f32x16[r] = in_register_x16(features_x16(element, x_row[r], k));
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 = in_register_x16(_mm512_loadu_ps(w + F32X16 * (size_t)j));
            for (int r = 0; r < rows; r++) {
                __m512 *sum = &sum_f32x16[r * SUMS_OF_ROW + j];
                *sum = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, *sum);
            }
        }
        w += F32X16 * (size_t)classes;
    }
    if (k < d) {
        const __mmask16 tail = first_lanes_x16(d - k);
        for (int r = 0; r < rows; r++) {
            const __m512 x_f32x16 = some_features_x16(element, tail, x_row[r], k);
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                __m512 *sum = &sum_f32x16[r * SUMS_OF_ROW + j];
                *sum = _mm512_fmadd_ps(x_f32x16, _mm512_loadu_ps(w + F32X16 * (size_t)j), *sum);
            }
        }
    }

    add_to_scores(rows, classes, sum_f32x16, scores, lds);
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

DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, const float *w, float *scores, size_t lds,
                             struct prefetch *prefetch)
{
    switch (c) {
    case 10:
        column_of_tiles(element, 2, 10, n, d, x, w, scores, lds, prefetch);
        break;
    case 9:
        column_of_tiles(element, 2, 9, n, d, x, w, scores, lds, prefetch);
        break;
    case 8:
        column_of_tiles(element, 2, 8, n, d, x, w, scores, lds, prefetch);
        break;
    case 7:
        column_of_tiles(element, 2, 7, n, d, x, w, scores, lds, prefetch);
        break;
    case 6:
        column_of_tiles(element, 2, 6, n, d, x, w, scores, lds, prefetch);
        break;
    case 5:
        column_of_tiles(element, 4, 5, n, d, x, w, scores, lds, prefetch);
        break;
    case 4:
        column_of_tiles(element, 4, 4, n, d, x, w, scores, lds, prefetch);
        break;
    case 3:
        column_of_tiles(element, 4, 3, n, d, x, w, scores, lds, prefetch);
        break;
    case 2:
        column_of_tiles(element, 4, 2, n, d, x, w, scores, lds, prefetch);
        break;
    default:
        column_of_tiles(element, 4, 1, n, d, x, w, scores, lds, prefetch);
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
