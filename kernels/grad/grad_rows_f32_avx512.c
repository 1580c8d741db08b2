/* SPDX-License-Identifier: MIT
 *
 * Gradient of one to three classes with AVX-512F: eight whole rows of X at a time are added to dW, which stays in L1, as in
 * grad_rows_f32_avx2.c. The dscores of three classes take 24 of 32 registers.
 *
 * Per 16 features one class loads 8 vectors of X and one of dW for 8 FMAs: 4.5 cycles of loads at two per cycle. Not timed
 * yet.
 *
 * Tail: masked loads and stores for the last features, groups of four rows and single ones for the last rows. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

#include <stdbool.h>

enum { FEW_ROWS = 8 };

/* Adds the features of the lanes that are on to dW. */
DOWNHILL_INLINE void add_vector(const enum element element, const int rows, const int classes,
                                __mmask16 lanes, size_t k, const void *const x_row[FEW_ROWS],
                                __m512 g_f32x16[FEW_ROWS][GRAD_ROWS_CLASSES], const bool accumulate,
                                float *dw, size_t lddw)
{
    __m512 sum_f32x16[GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        sum_f32x16[j] = accumulate ? _mm512_maskz_loadu_ps(lanes, dw + (size_t)j * lddw + k)
                                   : _mm512_setzero_ps();
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512 x_f32x16 = some_features_x16(element, lanes, x_row[r], k);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            sum_f32x16[j] = _mm512_fmadd_ps(g_f32x16[r][j], x_f32x16, sum_f32x16[j]);
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        _mm512_mask_storeu_ps(dw + (size_t)j * lddw + k, lanes, sum_f32x16[j]);
}

/* prefetches: whether the next block of rows is prefetched meanwhile, at one step per vector. */
DOWNHILL_INLINE void add_rows(const enum element element, const bool prefetches, const int rows,
                              const int classes, size_t d, const void *const *x,
                              const float *dscores, size_t ldds, const bool accumulate, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    const void *x_row[FEW_ROWS];
    __m512 g_f32x16[FEW_ROWS][GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        x_row[r] = x[r];
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            g_f32x16[r][j] = _mm512_set1_ps(dscores[(size_t)r * ldds + (size_t)j]);
    }
    size_t k = 0, steps = d / F32X16;
    struct prefetch_run run = prefetches ? prefetch_take(prefetch, &steps) : prefetch_none(dw);
    for (; k + F32X16 <= d; k += F32X16) {
        if (prefetches)
            prefetch_step(&run);
        add_vector(element, rows, classes, (__mmask16)0xFFFF, k, x_row, g_f32x16, accumulate, dw,
                   lddw);
    }
    if (k < d)
        add_vector(element, rows, classes, first_lanes_x16(d - k), k, x_row, g_f32x16, accumulate,
                   dw, lddw);
}

DOWNHILL_INLINE void few_classes(const enum element element, const bool prefetches,
                                 const int classes, size_t n, size_t d, const void *const *x,
                                 const float *dscores, size_t ldds, unsigned flags, float *dw,
                                 size_t lddw, struct prefetch *prefetch)
{
    size_t i = 0;
    if (!(flags & GRAD_ACCUMULATE)) {
        add_rows(element, prefetches, 1, classes, d, x, dscores, ldds, false, dw, lddw, prefetch);
        i = 1;
    }
    for (; i + FEW_ROWS <= n; i += FEW_ROWS)
        add_rows(element, prefetches, FEW_ROWS, classes, d, x + i, dscores + i * ldds, ldds, true,
                 dw, lddw, prefetch);
    for (; i + FEW_ROWS / 2 <= n; i += FEW_ROWS / 2)
        add_rows(element, prefetches, FEW_ROWS / 2, classes, d, x + i, dscores + i * ldds, ldds,
                 true, dw, lddw, prefetch);
    for (; i < n; i++)
        add_rows(element, prefetches, 1, classes, d, x + i, dscores + i * ldds, ldds, true, dw,
                 lddw, prefetch);
}

#include "grad/grad_rows.h"
