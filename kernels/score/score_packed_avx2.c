/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX2, FMA and packed weights: the register tile of score_avx2.c, 2 samples × 5
 * classes, with the weights of 16 features beside each other. Rows of W a multiple of 4 KiB apart
 * fall on one set of L1, 5 of its 8 lines (Haswell to Cascade Lake, Zen to Zen 4), and two of X
 * come to that; packed they spread over all sets. Per 16 features 4 + 10 loads for 20 FMAs. */
#include "avx2.h"
#include "kernels.h"

enum { TILE_ROWS = 2, TILE_CLASSES = 5, GROUP = 2 * F32X8 };

/* sum += X Wᵀ over 8 features; w of the next class is GROUP further on. */
DOWNHILL_INLINE void add_features(const int rows, const int classes, const __m256 x_f32x8[],
                                  const float *w, __m256 sum_f32x8[TILE_CLASSES][TILE_ROWS])
{
    for (int j = 0; j < classes; j++) {
        const __m256 w_f32x8 = in_register_x8(_mm256_loadu_ps(w + GROUP * (size_t)j));
        for (int r = 0; r < rows; r++)
            sum_f32x8[j][r] = _mm256_fmadd_ps(x_f32x8[r], w_f32x8, sum_f32x8[j][r]);
    }
}

/* w_step: from the weights of 16 features to the next. */
DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const float *w, size_t w_step, float *scores,
                          size_t lds, struct downhill_ahead *ahead)
{
    const void *x_row[TILE_ROWS];
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m256 sum_f32x8[TILE_CLASSES][TILE_ROWS];
    for (int j = 0; j < classes; j++)
        for (int r = 0; r < rows; r++)
            sum_f32x8[j][r] = _mm256_setzero_ps();

    __m256 x_f32x8[TILE_ROWS];
    size_t steps = d / GROUP;
    struct ahead_run run = rows == TILE_ROWS ? ahead_take(ahead, &steps) : ahead_none(w);
    size_t k = 0;
    for (; k + GROUP <= d; k += GROUP, w += w_step) {
        if (rows == TILE_ROWS)
            ahead_fetch(&run);
        for (int r = 0; r < rows; r++)
            x_f32x8[r] = features_x8(element, x_row[r], k);
        add_features(rows, classes, x_f32x8, w, sum_f32x8);
        for (int r = 0; r < rows; r++)
            x_f32x8[r] = features_x8(element, x_row[r], k + F32X8);
        add_features(rows, classes, x_f32x8, w + F32X8, sum_f32x8);
    }
    for (; k < d; k += F32X8, w += F32X8) {
        for (int r = 0; r < rows; r++)
            x_f32x8[r] = k + F32X8 <= d ? features_x8(element, x_row[r], k)
                                        : some_features_x8(element, d - k, x_row[r], k);
        add_features(rows, classes, x_f32x8, w, sum_f32x8);
    }

    for (int r = 0; r < rows; r++) {
        float *scores_r = scores + (size_t)r * lds;
        if (classes >= 4)
            _mm_storeu_ps(scores_r, _mm_add_ps(_mm_loadu_ps(scores_r),
                                               sum_lanes_4(sum_f32x8[0][r], sum_f32x8[1][r],
                                                           sum_f32x8[2][r], sum_f32x8[3][r])));
        for (int j = classes / 4 * 4; j < classes; j++)
            scores_r[j] += sum_lanes_x8(sum_f32x8[j][r]);
    }
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int classes, size_t n,
                                     size_t d, const void *const *x, const float *w, size_t w_step,
                                     float *scores, size_t lds, struct downhill_ahead *ahead)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        tile(element, TILE_ROWS, classes, d, x + i, w, w_step, scores + i * lds, lds, ahead);
    if (i < n)
        tile(element, 1, classes, d, x + i, w, w_step, scores + i * lds, lds, ahead);
}

DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, const float *packed, float *scores, size_t lds,
                             struct downhill_ahead *ahead)
{
    const size_t w_step = GROUP * c;
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *w = packed + GROUP * j;
        float *scores_j = scores + j;
        switch (classes) {
        case 5:
            column_of_tiles(element, 5, n, d, x, w, w_step, scores_j, lds, ahead);
            break;
        case 4:
            column_of_tiles(element, 4, n, d, x, w, w_step, scores_j, lds, ahead);
            break;
        case 3:
            column_of_tiles(element, 3, n, d, x, w, w_step, scores_j, lds, ahead);
            break;
        case 2:
            column_of_tiles(element, 2, n, d, x, w, w_step, scores_j, lds, ahead);
            break;
        default:
            column_of_tiles(element, 1, n, d, x, w, w_step, scores_j, lds, ahead);
            break;
        }
    }
}

void downhill_score_packed_f32_avx2(size_t n, size_t d, size_t c, const void *const *x,
                                    const float *packed, float *scores, size_t lds,
                                    struct downhill_ahead *ahead)
{
    columns(ELEMENT_F32, n, d, c, x, packed, scores, lds, ahead);
}

void downhill_score_packed_bf16_avx2(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *packed, float *scores, size_t lds,
                                     struct downhill_ahead *ahead)
{
    columns(ELEMENT_BF16, n, d, c, x, packed, scores, lds, ahead);
}
