/* SPDX-License-Identifier: MIT
 *
 * Gradient of one to three classes with AVX-512F: eight whole rows of X at a time are added to dW, which stays in L1, as in
 * grad_rows_f32_avx2.c.
 *
 * One or two classes are bound by loading X. They take it in runs of 1024 or 512 bytes, one row after the other, while 16
 * vectors of dW stay in registers: from L2 256 × 784 × 1 takes 0.66 of the time of a line of each row in turn, × 2 0.82,
 * because loads that each walk along a row make Zen 5 fetch lines twice.
 *
 * Three classes, bf16, and rows that are prefetched from memory take a vector of each row in turn. Per 16 features one class
 * loads 8 vectors of X and one of dW for 8 FMAs: 4.5 cycles of loads at two per cycle. The dscores of three classes take 24
 * of 32 registers.
 *
 * Tail: masked loads and stores for the last features, groups of four rows and single ones for the last rows. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

#include <stdbool.h>

/* Rows of a group; vectors of dW in registers during a run. */
enum { FEW_ROWS = 8, RUN_VECTORS = 16 };

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
        __m512 x_f32x16 = some_features_x16(element, lanes, x_row[r], k);
        if (classes > 1)
            x_f32x16 = in_register_x16(x_f32x16);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            sum_f32x16[j] = _mm512_fmadd_ps(g_f32x16[r][j], x_f32x16, sum_f32x16[j]);
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        _mm512_mask_storeu_ps(dw + (size_t)j * lddw + k, lanes, sum_f32x16[j]);
}

/* Adds 4 vectors of one row to the sums, from vector `first` of the run on. A longer loop Clang does not unroll. */
DOWNHILL_INLINE void add_4_vectors(const int classes, const int first, const float *row, size_t k,
                                   const __m512 g_f32x16[GRAD_ROWS_CLASSES],
                                   __m512 sum_f32x16[GRAD_ROWS_CLASSES][RUN_VECTORS])
{
    DOWNHILL_UNROLL_ALWAYS
    for (int v = first; v < first + 4; v++) {
        const size_t at = k + F32X16 * (size_t)v;
        _mm_prefetch((const void *)(row + at + F32X16), _MM_HINT_T0);
        __m512 x_f32x16 = _mm512_loadu_ps(row + at);
        if (classes > 1)
            x_f32x16 = in_register_x16(x_f32x16);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            sum_f32x16[j][v] = _mm512_fmadd_ps(g_f32x16[j], x_f32x16, sum_f32x16[j][v]);
    }
}

DOWNHILL_INLINE void add_run_of_row(const int classes, const float *row, size_t k,
                                    const float *dscores,
                                    __m512 sum_f32x16[GRAD_ROWS_CLASSES][RUN_VECTORS])
{
    __m512 g_f32x16[GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        g_f32x16[j] = in_register_x16(_mm512_set1_ps(dscores[j]));
    add_4_vectors(classes, 0, row, k, g_f32x16, sum_f32x16);
    add_4_vectors(classes, 4, row, k, g_f32x16, sum_f32x16);
    if (classes == 1) {
        add_4_vectors(classes, 8, row, k, g_f32x16, sum_f32x16);
        add_4_vectors(classes, 12, row, k, g_f32x16, sum_f32x16);
    }
}

/* Loads or stores 8 vectors of dW, from vector `first` of the run on. */
DOWNHILL_INLINE void load_sums(const int classes, const int first, const float *dw, size_t lddw,
                               __m512 sum_f32x16[GRAD_ROWS_CLASSES][RUN_VECTORS])
{
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        DOWNHILL_UNROLL_ALWAYS
        for (int v = first; v < first + 8; v++)
            sum_f32x16[j][v] = _mm512_loadu_ps(dw + (size_t)j * lddw + F32X16 * (size_t)v);
    }
}

DOWNHILL_INLINE void store_sums(const int classes, const int first,
                                __m512 sum_f32x16[GRAD_ROWS_CLASSES][RUN_VECTORS], float *dw,
                                size_t lddw)
{
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        DOWNHILL_UNROLL_ALWAYS
        for (int v = first; v < first + 8; v++)
            _mm512_storeu_ps(dw + (size_t)j * lddw + F32X16 * (size_t)v, sum_f32x16[j][v]);
    }
}

/* Adds a run of each row to dW, in registers. The rows are written out: the loads of a loop would walk from row to row. */
DOWNHILL_INLINE void add_run(const int classes, size_t k, const void *const x_row[FEW_ROWS],
                             const float *dscores, size_t ldds, float *dw, size_t lddw)
{
    __m512 sum_f32x16[GRAD_ROWS_CLASSES][RUN_VECTORS];
    load_sums(classes, 0, dw, lddw, sum_f32x16);
    if (classes == 1)
        load_sums(classes, 8, dw, lddw, sum_f32x16);
    add_run_of_row(classes, x_row[0], k, dscores, sum_f32x16);
    add_run_of_row(classes, x_row[1], k, dscores + ldds, sum_f32x16);
    add_run_of_row(classes, x_row[2], k, dscores + 2 * ldds, sum_f32x16);
    add_run_of_row(classes, x_row[3], k, dscores + 3 * ldds, sum_f32x16);
    add_run_of_row(classes, x_row[4], k, dscores + 4 * ldds, sum_f32x16);
    add_run_of_row(classes, x_row[5], k, dscores + 5 * ldds, sum_f32x16);
    add_run_of_row(classes, x_row[6], k, dscores + 6 * ldds, sum_f32x16);
    add_run_of_row(classes, x_row[7], k, dscores + 7 * ldds, sum_f32x16);
    store_sums(classes, 0, sum_f32x16, dw, lddw);
    if (classes == 1)
        store_sums(classes, 8, sum_f32x16, dw, lddw);
}

/* prefetches: whether the next block of rows is prefetched meanwhile, at one step per vector. */
DOWNHILL_INLINE void add_rows(const enum element element, const bool prefetches, const int rows,
                              const int classes, size_t d, const void *const *x,
                              const float *dscores, size_t ldds, const bool accumulate, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    const void *x_row[FEW_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    size_t k = 0;
    if (element == ELEMENT_F32 && accumulate && rows == FEW_ROWS && classes < 3 && !prefetches) {
        const size_t width = F32X16 * RUN_VECTORS / (size_t)classes;
        for (; k + width <= d; k += width)
            add_run(classes, k, x_row, dscores, ldds, dw + k, lddw);
    }
    __m512 g_f32x16[FEW_ROWS][GRAD_ROWS_CLASSES];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < classes; j++)
            g_f32x16[r][j] = _mm512_set1_ps(dscores[(size_t)r * ldds + (size_t)j]);
    size_t steps = d / F32X16;
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
