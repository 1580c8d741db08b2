/* SPDX-License-Identifier: MIT
 *
 * Gradient of one to three classes with AVX2 and FMA: a few whole rows of X at a time are added to dW, which stays in L1.
 *
 * So few classes have few FMAs per load of X, and reading X decides. Whole rows are read from end to end, no more of them
 * than the hardware prefetchers follow: 8 for one class, whose dscores take 8 registers, and 4 for two and three classes.
 * Each vector of dW is loaded and stored once per 4 or 8 FMAs. Tiles that keep dW in registers and read a piece of 32 rows
 * take 1.15 times as long from L2 and 1.8 times from memory with one class (Zen 3). */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

#include <stdbool.h>

enum { FEW_ROWS = 8, FEW_VECTORS = 2 };

/* Adds some vectors of each row to those of dW. */
DOWNHILL_INLINE void add_vectors(const enum element element, const int rows, const int classes,
                                 const int vectors, size_t k, const void *const x_row[FEW_ROWS],
                                 __m256 g_f32x8[FEW_ROWS][GRAD_ROWS_CLASSES], const bool accumulate,
                                 float *dw, size_t lddw)
{
    __m256 sum_f32x8[GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++, k += F32X8) {
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            sum_f32x8[j] =
                accumulate ? _mm256_loadu_ps(dw + (size_t)j * lddw + k) : _mm256_setzero_ps();
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            const __m256 x_f32x8 = features_x8(element, x_row[r], k);
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++)
                sum_f32x8[j] = _mm256_fmadd_ps(g_f32x8[r][j], x_f32x8, sum_f32x8[j]);
        }
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            _mm256_storeu_ps(dw + (size_t)j * lddw + k, sum_f32x8[j]);
    }
}

/* Adds the last features of the rows, `count` or 8. The dscores are broadcast again: if they stayed in registers until
 * here, Clang would spill them in the main loop. */
DOWNHILL_INLINE void add_tail(const enum element element, const int rows, const int classes,
                              size_t count, size_t k, const void *const *x, const float *dscores,
                              size_t ldds, const bool accumulate, float *dw, size_t lddw)
{
    const __m256i lanes = first_lanes_x8(count);
    __m256 sum_f32x8[GRAD_ROWS_CLASSES];
    for (int j = 0; j < classes; j++)
        sum_f32x8[j] =
            accumulate ? _mm256_maskload_ps(dw + (size_t)j * lddw + k, lanes) : _mm256_setzero_ps();
    for (int r = 0; r < rows; r++) {
        const __m256 x_f32x8 = count < F32X8 ? some_features_x8(element, count, x[r], k)
                                             : features_x8(element, x[r], k);
        for (int j = 0; j < classes; j++)
            sum_f32x8[j] = _mm256_fmadd_ps(
                _mm256_broadcast_ss(dscores + (size_t)r * ldds + (size_t)j), x_f32x8, sum_f32x8[j]);
    }
    for (int j = 0; j < classes; j++)
        store_some_x8(dw + (size_t)j * lddw + k, count, sum_f32x8[j]);
}

/* prefetches: whether the next block of rows is prefetched meanwhile, at one step per `vectors`. */
DOWNHILL_INLINE void add_rows(const enum element element, const bool prefetches, const int rows,
                              const int classes, const int vectors, size_t d, const void *const *x,
                              const float *dscores, size_t ldds, const bool accumulate, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    const void *x_row[FEW_ROWS];
    __m256 g_f32x8[FEW_ROWS][GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        x_row[r] = x[r];
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            g_f32x8[r][j] = _mm256_broadcast_ss(dscores + (size_t)r * ldds + (size_t)j);
    }
    const size_t width = F32X8 * (size_t)vectors;
    size_t k = 0, steps = d / width;
    struct prefetch_run run = prefetches ? prefetch_take(prefetch, &steps) : prefetch_none(dw);
    for (; k + width <= d; k += width) {
        if (prefetches)
            prefetch_step(&run);
        add_vectors(element, rows, classes, vectors, k, x_row, g_f32x8, accumulate, dw, lddw);
    }
    for (; k < d; k += F32X8)
        add_tail(element, rows, classes, d - k, k, x, dscores, ldds, accumulate, dw, lddw);
}

DOWNHILL_INLINE void few_classes(const enum element element, const bool prefetches,
                                 const int classes, size_t n, size_t d, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct prefetch *prefetch)
{
    /* With 4 rows of 3 classes in bf16 and a prefetch, Clang 14 spills a vector. */
    const int rows_of_3 = element == ELEMENT_BF16 && prefetches ? 3 : 4;
    const int rows = classes == 1   ? FEW_ROWS
                     : classes == 2 ? 4
                                    : rows_of_3,
              vectors = classes == 3 ? 1 : FEW_VECTORS;
    size_t i = 0;
    /* Half a group starts the sums: as a copy of the main loop, a whole one of three classes would spill registers. */
    if (!(flags & GRAD_ACCUMULATE) && n >= (size_t)rows / 2) {
        add_rows(element, prefetches, rows / 2, classes, vectors, d, x, dscores, ldds, false, dw,
                 lddw, prefetch);
        i = (size_t)rows / 2;
    } else if (!(flags & GRAD_ACCUMULATE)) {
        add_rows(element, prefetches, 1, classes, FEW_VECTORS, d, x, dscores, ldds, false, dw, lddw,
                 prefetch);
        i = 1;
    }
    for (; i + (size_t)rows <= n; i += (size_t)rows)
        add_rows(element, prefetches, rows, classes, vectors, d, x + i, dscores + i * ldds, ldds,
                 true, dw, lddw, prefetch);
    for (; i + (size_t)rows / 2 <= n; i += (size_t)rows / 2)
        add_rows(element, prefetches, rows / 2, classes, vectors, d, x + i, dscores + i * ldds,
                 ldds, true, dw, lddw, prefetch);
    for (; i < n; i++)
        add_rows(element, prefetches, 1, classes, FEW_VECTORS, d, x + i, dscores + i * ldds, ldds,
                 true, dw, lddw, prefetch);
}

#include "grad/grad_rows.h"
