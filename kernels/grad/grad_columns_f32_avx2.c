/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX2 and FMA, column by column: all classes of 16 features before the next 16. The first tile of classes
 * reads X and leaves a copy of the column, 8 KiB for 128 samples, which stays in L1 for all other tiles.
 *
 * Where it comes from, such a column is one line per row. If rows are a multiple of 4 KiB apart, all of these lines fall
 * on one set of L1, and a second tile would read them from L2 again: with the copy the gradient of 10 classes takes 0.88
 * of the time (d = 3072, rows of dW padded). Where rows do not collide, the two stores per sample cost 8 % of the time of
 * 10 classes, and nothing from about 24 classes on.
 *
 * A dW beyond L2 is read and written once per 128 samples: 6 lines per tile, which are prefetched into L2 two columns
 * before and into L1 one tile before. Twice as many samples would halve that, but their lines of dscores would not fit
 * L1. 256 × 2048 × 1000 takes half of the time of the loop over rows in grad_f32_avx2.c (Zen 3). */
#define DOWNHILL_LEVEL_NAME avx2
#include "grad/grad_tile_avx2.h"

enum { COLUMN_VECTORS = 2, COLUMN_FEATURES = COLUMN_VECTORS * F32X8, COLUMN_ROWS = 128 };

/* Classes whose dscores of 128 samples, 128 KiB, stay in L2 from one column to the next. */
enum { COLUMN_CLASSES = 256 };

/* Steps of prefetch.h before a tile: a core drops longer bursts. */
enum { STEPS_MAX = 16 };

/* Floats in a cache line. */
enum { LINE_F32 = LINE_BYTES / 4 };

/* Where a tile finds X: in its rows, of which it leaves a copy in the column, or in that copy. */
enum source { ROWS_TO_COLUMN, COLUMN };

/* far_dscores: prefetch the next line of dscores of each sample, which is not in L1. */
DOWNHILL_INLINE void column_tile(const enum element element, const enum source source,
                                 const bool far_dscores, const int classes, size_t n, size_t k,
                                 const void *const *x, float *column, const float *dscores,
                                 size_t ldds, bool accumulate, float *dw, size_t lddw)
{
    __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS];
    load_sums(classes, COLUMN_VECTORS, accumulate, 0, dw, lddw, sum_f32x8);
    for (size_t i = 0; i < n; i++, column += COLUMN_FEATURES, dscores += ldds) {
        if (far_dscores)
            _mm_prefetch((const char *)(dscores + LINE_F32), _MM_HINT_T0);
        if (source == ROWS_TO_COLUMN) {
            _mm_prefetch((const char *)feature_at(element, x[i], k) + LINE_BYTES, _MM_HINT_T0);
            for (int v = 0; v < COLUMN_VECTORS; v++)
                _mm256_store_ps(column + F32X8 * v,
                                features_x8(element, x[i], k + F32X8 * (size_t)v));
        }
        add_row(ELEMENT_F32, classes, COLUMN_VECTORS, column, 0, dscores, sum_f32x8);
    }
    store_sums(classes, COLUMN_VECTORS, sum_f32x8, 0, dw, lddw);
}

/* Into L1 the lines of dW of the next tile, into L2 those of this tile two columns later. Nothing is read through these
 * pointers, some of which are past the end. */
DOWNHILL_INLINE void prefetch_dw(size_t classes, size_t next_classes, const float *dw, size_t lddw)
{
    for (size_t j = 0; j < next_classes; j++)
        _mm_prefetch((const char *)(dw + (classes + j) * lddw), _MM_HINT_T0);
    for (size_t j = 0; j < classes; j++)
        _mm_prefetch((const char *)(dw + j * lddw + 2 * LINE_F32), _MM_HINT_T1);
}

DOWNHILL_INLINE void column_tile_of(const enum element element, const enum source source,
                                    const bool far_dscores, size_t classes, size_t n, size_t k,
                                    const void *const *x, float *column, const float *dscores,
                                    size_t ldds, bool accumulate, float *dw, size_t lddw)
{
    switch (classes) {
    case 6:
        column_tile(element, source, far_dscores, 6, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    case 5:
        column_tile(element, source, far_dscores, 5, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    case 4:
        column_tile(element, source, far_dscores, 4, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    case 3:
        column_tile(element, source, far_dscores, 3, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    case 2:
        column_tile(element, source, far_dscores, 2, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    default:
        column_tile(element, source, far_dscores, 1, n, k, x, column, dscores, ldds, accumulate, dw,
                    lddw);
        break;
    }
}

/* All classes of one column. */
DOWNHILL_INLINE void column_of_tiles(const enum element element, const bool far_dw, size_t n,
                                     size_t k, size_t c, const void *const *x, float *column,
                                     const float *dscores, size_t ldds, bool accumulate, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes, dscores += classes, dw += classes * lddw) {
        classes = next_tile(c - j, TILE_CLASSES);
        prefetch_steps(prefetch, n < 2 * STEPS_MAX ? n / PREFETCH_ROWS : STEPS_MAX);
        if (far_dw)
            prefetch_dw(classes, next_tile(c - j - classes, TILE_CLASSES), dw, lddw);
        if (j == 0)
            column_tile_of(element, ROWS_TO_COLUMN, far_dw, classes, n, k, x, column, dscores, ldds,
                           accumulate, dw, lddw);
        else
            column_tile_of(ELEMENT_F32, COLUMN, far_dw, classes, n, k, x, column, dscores, ldds,
                           accumulate, dw, lddw);
    }
}

/* Computes the last features of dW, fewer than a column, on copies that are padded to a whole column. */
DOWNHILL_INLINE void tail_column(const enum element element, size_t n, size_t k, size_t count,
                                 size_t c, const void *const *x, float *column,
                                 const float *dscores, size_t ldds, bool accumulate, float *dw,
                                 size_t lddw)
{
    float sums[TILE_CLASSES * COLUMN_FEATURES] = {0};
    memset(column, 0, n * COLUMN_FEATURES * sizeof *column);
    for (size_t i = 0; i < n; i++)
        for (size_t q = 0; q < count; q += F32X8)
            store_some_x8(column + i * COLUMN_FEATURES + q, count - q,
                          count - q < F32X8 ? some_features_x8(element, count - q, x[i], k + q)
                                            : features_x8(element, x[i], k + q));
    for (size_t j = 0, classes; j < c; j += classes, dscores += classes, dw += classes * lddw) {
        classes = next_tile(c - j, TILE_CLASSES);
        for (size_t q = 0; accumulate && q < classes; q++)
            memcpy(sums + q * COLUMN_FEATURES, dw + q * lddw, count * sizeof *dw);
        column_tile_of(ELEMENT_F32, COLUMN, false, classes, n, 0, NULL, column, dscores, ldds,
                       accumulate, sums, COLUMN_FEATURES);
        for (size_t q = 0; q < classes; q++)
            memcpy(dw + q * lddw, sums + q * COLUMN_FEATURES, count * sizeof *dw);
    }
}

DOWNHILL_INLINE void columns(const enum element element, const bool far_dw, size_t n, size_t d,
                             size_t c, const void *const *x, const float *dscores, size_t ldds,
                             unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    _Alignas(64) float column[COLUMN_ROWS * COLUMN_FEATURES];
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < COLUMN_ROWS ? n - i : COLUMN_ROWS;
        const bool accumulate = i > 0 || (flags & GRAD_ACCUMULATE) != 0;
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, COLUMN_CLASSES);
            const float *dscores_ij = dscores + i * ldds + j;
            float *dw_j = dw + j * lddw;
            size_t k = 0;
            for (; k + COLUMN_FEATURES <= d; k += COLUMN_FEATURES)
                column_of_tiles(element, far_dw, rows, k, classes, x + i, column, dscores_ij, ldds,
                                accumulate, dw_j + k, lddw, prefetch);
            if (k < d)
                tail_column(element, rows, k, d - k, classes, x + i, column, dscores_ij, ldds,
                            accumulate, dw_j + k, lddw);
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_columns_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *dscores, size_t ldds, unsigned flags, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    if (flags & GRAD_DW_FAR)
        columns(ELEMENT_F32, true, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        columns(ELEMENT_F32, false, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_columns_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *dscores, size_t ldds, unsigned flags, float *dw,
                                      size_t lddw, struct prefetch *prefetch)
{
    if (flags & GRAD_DW_FAR)
        columns(ELEMENT_BF16, true, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        columns(ELEMENT_BF16, false, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}
