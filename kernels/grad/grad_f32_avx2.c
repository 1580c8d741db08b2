/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX2 and FMA: one outer product per sample, with the features along the lanes. A register tile holds up
 * to 5 classes × 16 features of dW.
 *
 * Per sample a full tile loads 2 vectors of X and a row pointer and broadcasts 5 dscores, for 10 FMAs: 5 cycles of FMAs
 * at two per cycle against 4 cycles of loads at two per cycle. 10 sums, 2 vectors of X and 1 broadcast take 13 of 16
 * registers. Fewer classes take wider tiles to keep enough independent sums.
 *
 * Trap: ten classes are two tiles over the same features, and the second must find in L1 what the first read from L2.
 * Rows a multiple of 4 KiB apart all fall on one set of 8 or 12 lines, so only 8 such rows are taken at a time. With 32
 * the loop ran at 0.6 of its speed. Taking 8 costs 10 loads and stores of dW per 80 FMAs. The FMAs hide these if dW is
 * in a near cache.
 *
 * Tail: the last features take single vectors, the last of them with masked loads and partial stores. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

#include <stdbool.h>

enum { TILE_CLASSES = 5, TILE_VECTORS = 6, RUN_VECTORS = 8 };

/* Samples per step of prefetch.h. */
enum { STEP = 2 };

/* Samples and features taken at a time: 8 rows of 2 KiB stay in L1 beside 10 rows of dW of 2 KiB. */
enum { ROWS = 32, ROWS_ON_ONE_SET = 8, FEATURES = 512 };

/* Adds dscoresᵀ x of one sample to the sums. */
DOWNHILL_INLINE void add_row(const enum element element, const int classes, const int vectors,
                             const void *x, size_t k, const float *dscores,
                             __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS])
{
    __m256 x_f32x8[TILE_VECTORS];
    for (int v = 0; v < vectors; v++)
        x_f32x8[v] = features_x8(element, x, k + F32X8 * (size_t)v);
    for (int j = 0; j < classes; j++) {
        const __m256 g_f32x8 = _mm256_broadcast_ss(dscores + j);
        for (int v = 0; v < vectors; v++)
            sum_f32x8[j][v] = _mm256_fmadd_ps(g_f32x8, x_f32x8[v], sum_f32x8[j][v]);
    }
}

DOWNHILL_INLINE void tile(const enum element element, const int fetch, const int classes,
                          const int vectors, size_t n, size_t k, const void *const *x,
                          const float *dscores, size_t ldds, unsigned flags, float *dw, size_t lddw,
                          struct prefetch *prefetch)
{
    const bool accumulate = (flags & GRAD_ACCUMULATE) != 0;
    __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS];
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            sum_f32x8[j][v] = accumulate
                                  ? _mm256_loadu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v)
                                  : _mm256_setzero_ps();

    if (fetch) {
        size_t steps = n / STEP;
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        for (size_t s = 0; s < steps; s++)
            prefetch_step(&run);
    }
    for (size_t i = 0; i < n; i++)
        add_row(element, classes, vectors, x[i], k, dscores + i * ldds, sum_f32x8);

    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            _mm256_storeu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v, sum_f32x8[j][v]);
}

DOWNHILL_INLINE void tail_tile(const enum element element, const int classes, size_t count,
                               size_t n, size_t k, const void *const *x, const float *dscores,
                               size_t ldds, unsigned flags, float *dw, size_t lddw)
{
    const __m256i lanes = first_lanes_x8(count);
    const __m256i before = (flags & GRAD_ACCUMULATE) ? lanes : _mm256_setzero_si256();
    __m256 sum_f32x8[TILE_CLASSES];
    for (int j = 0; j < classes; j++)
        sum_f32x8[j] = _mm256_maskload_ps(dw + (size_t)j * lddw + k, before);
    for (size_t i = 0; i < n; i++) {
        const __m256 x_f32x8 = some_features_x8(element, count, x[i], k);
        for (int j = 0; j < classes; j++)
            sum_f32x8[j] = _mm256_fmadd_ps(_mm256_broadcast_ss(dscores + i * ldds + (size_t)j),
                                           x_f32x8, sum_f32x8[j]);
    }
    for (int j = 0; j < classes; j++)
        store_some_x8(dw + (size_t)j * lddw + k, count, sum_f32x8[j]);
}

DOWNHILL_INLINE void row_of_tiles(const enum element element, const int fetch, const int classes,
                                  const int vectors, size_t n, size_t d, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch)
{
    const size_t width = F32X8 * (size_t)vectors;
    size_t k = 0;
    for (; k + width <= d; k += width)
        tile(element, fetch, classes, vectors, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    for (; k + F32X8 <= d; k += F32X8)
        tile(element, fetch, classes, 1, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    if (k < d)
        tail_tile(element, classes, d - k, n, k, x, dscores, ldds, flags, dw, lddw);
}

DOWNHILL_INLINE void sub_block(const enum element element, const int fetch, size_t n, size_t d,
                               size_t c, const void *const *x, const float *dscores, size_t ldds,
                               unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *ds = dscores + j;
        float *dwj = dw + j * lddw;
        switch (classes) {
        case 5:
            row_of_tiles(element, fetch, 5, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 4:
            row_of_tiles(element, fetch, 4, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 3:
            row_of_tiles(element, fetch, 3, 3, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 2:
            row_of_tiles(element, fetch, 2, 5, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        default:
            row_of_tiles(element, fetch, 1, 6, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        }
    }
}

DOWNHILL_INLINE void tiles(const enum element element, const int fetch, size_t n, size_t d,
                           size_t c, const void *const *x, const float *dscores, size_t ldds,
                           unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    const bool one_set = n > 1 && (((uintptr_t)x[0] ^ (uintptr_t)x[1]) & 4095) == 0;
    const size_t rows_max = one_set ? ROWS_ON_ONE_SET : ROWS;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < rows_max ? n - i : rows_max;
        const void *x_k[ROWS];
        for (size_t k = 0; k < d; k += FEATURES) {
            for (size_t r = 0; r < rows; r++)
                x_k[r] = feature_at(element, x[i + r], k);
            sub_block(element, fetch, rows, d - k < FEATURES ? d - k : FEATURES, c, x_k,
                      dscores + i * ldds, ldds, i > 0 ? flags | GRAD_ACCUMULATE : flags, dw + k,
                      lddw, prefetch);
        }
    }
}

/* Computes the gradient of one sample. Its time is that of writing dW once. The features stay in registers and the
 * classes are taken one at a time. */
DOWNHILL_INLINE void one_sample(const enum element element, size_t d, size_t c, const void *x,
                                const float *dscores, unsigned flags, float *dw, size_t lddw)
{
    size_t k = 0;
    for (; k + F32X8 * RUN_VECTORS <= d; k += F32X8 * RUN_VECTORS) {
        __m256 x_f32x8[RUN_VECTORS];
        for (int v = 0; v < RUN_VECTORS; v++)
            x_f32x8[v] = in_register_x8(features_x8(element, x, k + F32X8 * (size_t)v));
        for (size_t j = 0; j < c; j++) {
            const __m256 g_f32x8 = _mm256_broadcast_ss(dscores + j);
            float *to = dw + j * lddw + k;
            for (int v = 0; v < RUN_VECTORS; v++, to += F32X8) {
                const __m256 before =
                    (flags & GRAD_ACCUMULATE) ? _mm256_loadu_ps(to) : _mm256_setzero_ps();
                _mm256_storeu_ps(to, _mm256_fmadd_ps(g_f32x8, x_f32x8[v], before));
            }
        }
    }
    for (size_t j = 0; j < c; j++) {
        size_t at = k;
        for (; at + F32X8 <= d; at += F32X8)
            tile(element, 0, 1, 1, 1, at, &x, dscores + j, 1, flags, dw + j * lddw, lddw, NULL);
        if (at < d)
            tail_tile(element, 1, d - at, 1, at, &x, dscores + j, 1, flags, dw + j * lddw, lddw);
    }
}

/* Compiles the loops twice, so that the copy without prefetching has no instructions for it. */
DOWNHILL_INLINE void grad(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw, struct prefetch *prefetch)
{
    if (n == 1)
        one_sample(element, d, c, x[0], dscores, flags, dw, lddw);
    else if (prefetch->left > 0)
        tiles(element, 1, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        tiles(element, 0, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const void *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct prefetch *prefetch)
{
    grad(ELEMENT_F32, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    grad(ELEMENT_BF16, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}
