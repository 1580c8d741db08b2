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

DOWNHILL_INLINE void few_classes(const enum element element, const bool prefetches, const int rows,
                                 const int classes, const int vectors, size_t n, size_t d,
                                 const void *const *x, const float *dscores, size_t ldds,
                                 unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
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

/* One function per number of classes, out of line, so that the compiler allocates the registers of each loop for itself. */
#define FEW_OF(name, element, prefetches, rows, classes, vectors)                                  \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(size_t n, size_t d, const void *const *x,           \
                                               const float *dscores, size_t ldds, unsigned flags,  \
                                               float *dw, size_t lddw, struct prefetch *prefetch)  \
    {                                                                                              \
        few_classes(element, prefetches, rows, classes, vectors, n, d, x, dscores, ldds, flags,    \
                    dw, lddw, prefetch);                                                           \
    }

FEW_OF(few_f32_1, ELEMENT_F32, false, 8, 1, 2)
FEW_OF(few_f32_2, ELEMENT_F32, false, 4, 2, 2)
FEW_OF(few_f32_3, ELEMENT_F32, false, 4, 3, 1)
FEW_OF(few_bf16_1, ELEMENT_BF16, false, 8, 1, 2)
FEW_OF(few_bf16_2, ELEMENT_BF16, false, 4, 2, 2)
FEW_OF(few_bf16_3, ELEMENT_BF16, false, 4, 3, 1)
FEW_OF(few_f32_prefetch_1, ELEMENT_F32, true, 8, 1, 2)
FEW_OF(few_f32_prefetch_2, ELEMENT_F32, true, 4, 2, 2)
FEW_OF(few_f32_prefetch_3, ELEMENT_F32, true, 4, 3, 1)
FEW_OF(few_bf16_prefetch_1, ELEMENT_BF16, true, 8, 1, 2)
FEW_OF(few_bf16_prefetch_2, ELEMENT_BF16, true, 4, 2, 2)
/* With 4 rows Clang 14 spills a vector. */
FEW_OF(few_bf16_prefetch_3, ELEMENT_BF16, true, 3, 3, 1)

typedef void few_kernel(size_t n, size_t d, const void *const *x, const float *dscores, size_t ldds,
                        unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch);

/* By the number of classes, minus 1. */
static few_kernel *const few_f32[] = {few_f32_1, few_f32_2, few_f32_3};
static few_kernel *const few_bf16[] = {few_bf16_1, few_bf16_2, few_bf16_3};
static few_kernel *const few_f32_prefetch[] = {few_f32_prefetch_1, few_f32_prefetch_2,
                                               few_f32_prefetch_3};
static few_kernel *const few_bf16_prefetch[] = {few_bf16_prefetch_1, few_bf16_prefetch_2,
                                                few_bf16_prefetch_3};

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_rows_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch)
{
    few_kernel *const *few = prefetch->left > 0 ? few_f32_prefetch : few_f32;
    few[c - 1](n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_rows_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *dscores, size_t ldds, unsigned flags, float *dw,
                                   size_t lddw, struct prefetch *prefetch)
{
    few_kernel *const *few = prefetch->left > 0 ? few_bf16_prefetch : few_bf16;
    few[c - 1](n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
}
