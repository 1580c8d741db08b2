/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX-512F: one outer product per sample, with the features along the lanes. A register tile of up to 14
 * classes × 32 features of dW stays in registers over all samples of the block.
 *
 * Per sample a tile of 10 classes loads 2 vectors of X and a row pointer and broadcasts 10 dscores, for 20 FMAs: 10 cycles of
 * FMAs at two per cycle against 6.5 cycles of loads, 7.5 with the prefetches. 14 classes, 28 sums, leave registers for 2
 * vectors of X and a broadcast: 14 classes are one pass over X, 28 two. Taking two samples at a time halves the
 * overhead of the loop. Fewer classes take wider tiles to keep at least 8 independent sums (latency of 4 cycles × 2
 * units).
 *
 * In a step X comes from L2, two lines in 10 cycles. A line is used completely at once, so
 * rows a multiple of 4 KiB apart, which all fall on one set of L1, do little harm. Samples in L2 are prefetched just before
 * their turn, samples that may be anywhere along their rows, into L2: from memory 256 × 784 × 10 takes 0.57 of the time, from
 * L3 256 × 16384 × 10 0.68, from L2 784 × 10 1.00 to 1.04 (Zen 5). Later samples that are in memory are prefetched one row
 * per sample (prefetch.h).
 *
 * Tail: the last features take single vectors with masked loads and stores. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { TILE_CLASSES = GRAD_CLASSES_AVX512, TILE_VECTORS = 8, TILE_ROWS = 2 };

/* Features of one sample that stay in L1, 16 KiB, and vectors at a time. */
enum { ONE_FEATURES = 4096, ONE_VECTORS = 8 };

/* Adds dscoresᵀ X of `rows` samples to the sums, in the lanes that are on. */
DOWNHILL_INLINE void add_rows(const enum element element, const int rows, const int classes,
                              const int vectors, const __mmask16 lanes, size_t k,
                              const void *const *x, const float *dscores, size_t ldds,
                              __m512 sum_f32x16[TILE_CLASSES][TILE_VECTORS])
{
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        __m512 x_f32x16[TILE_VECTORS];
        for (int v = 0; v < vectors; v++)
            x_f32x16[v] = some_features_x16(element, lanes, x[r], k + F32X16 * (size_t)v);
        for (int j = 0; j < classes; j++) {
            const __m512 g_f32x16 = _mm512_set1_ps(dscores[(size_t)r * ldds + (size_t)j]);
            for (int v = 0; v < vectors; v++)
                sum_f32x16[j][v] = _mm512_fmadd_ps(g_f32x16, x_f32x16[v], sum_f32x16[j][v]);
        }
    }
}

/* Computes dW[0 … classes)[k … k + 16·vectors). In a tail `lanes` masks the vectors. */
DOWNHILL_INLINE void tile(const enum element element, const enum target target, const int classes,
                          const int vectors, const __mmask16 lanes, size_t n, size_t k,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw, struct prefetch *prefetch)
{
    __m512 sum_f32x16[TILE_CLASSES][TILE_VECTORS];
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            sum_f32x16[j][v] = _mm512_setzero_ps();
    if (flags & GRAD_ACCUMULATE)
        for (int j = 0; j < classes; j++)
            for (int v = 0; v < vectors; v++)
                sum_f32x16[j][v] =
                    _mm512_maskz_loadu_ps(lanes, dw + (size_t)j * lddw + k + F32X16 * (size_t)v);

    else if (flags & GRAD_DW_FAR)
        fetch_dw(classes, vectors, dw + k, lddw);

    const int vectors_per_line = element == ELEMENT_F32 ? 1 : 2;
    /* Two samples at a time for f32. Widening bf16 leaves too few registers for two. */
    const int rows = element == ELEMENT_F32 ? TILE_ROWS : 1;
    size_t i = 0;
    while (i + (size_t)rows <= n) {
        size_t steps = n - i;
        struct prefetch_run run =
            target == NEXT_BLOCK ? prefetch_take(prefetch, &steps) : prefetch_none(x);
        for (const size_t end = i + steps / (size_t)rows * (size_t)rows; i < end;
             i += (size_t)rows) {
            for (int r = 0; r < rows; r++) {
                if (target == NEXT_BLOCK)
                    prefetch_step(&run);
                for (int v = 0; target == AHEAD && v < vectors; v += vectors_per_line)
                    _mm_prefetch(
                        feature_at(element, x[i + (size_t)r], k + F32X16 * (size_t)(vectors + v)),
                        _MM_HINT_T1);
                for (int v = 0; target == NEXT_ROWS && v < vectors; v += vectors_per_line)
                    _mm_prefetch(
                        feature_at(element, x[i + TILE_ROWS + (size_t)r], k + F32X16 * (size_t)v),
                        _MM_HINT_T0);
            }
            add_rows(element, rows, classes, vectors, lanes, k, x + i, dscores + i * ldds, ldds,
                     sum_f32x16);
        }
    }
    if (i < n)
        add_rows(element, 1, classes, vectors, lanes, k, x + i, dscores + i * ldds, ldds,
                 sum_f32x16);

    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            _mm512_mask_storeu_ps(dw + (size_t)j * lddw + k + F32X16 * (size_t)v, lanes,
                                  sum_f32x16[j][v]);
}

DOWNHILL_INLINE void row_of_tiles(const enum element element, const enum target target,
                                  const int classes, const int vectors, size_t n, size_t d,
                                  const void *const *x, const float *dscores, size_t ldds,
                                  unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    const size_t width = F32X16 * (size_t)vectors;
    size_t k = 0;
    for (; k + width <= d; k += width)
        tile(element, target, classes, vectors, 0xFFFF, n, k, x, dscores, ldds, flags, dw, lddw,
             prefetch);
    for (; k < d; k += F32X16)
        tile(element, target, classes, 1, first_lanes_x16(d - k), n, k, x, dscores, ldds, flags, dw,
             lddw, prefetch);
}

/* Adds one sample to features k … k + 16 of a row of dW, in the lanes that are on. */
DOWNHILL_INLINE void add_to_row(const enum element element, const __mmask16 lanes,
                                const __mmask16 before, __m512 g_f32x16, const void *x, size_t k,
                                float *row)
{
    const __m512 x_f32x16 = some_features_x16(element, lanes, x, k),
                 sum = _mm512_maskz_loadu_ps(before & lanes, row + k);
    _mm512_mask_storeu_ps(row + k, lanes, _mm512_fmadd_ps(g_f32x16, x_f32x16, sum));
}

/* Computes the gradient of one sample. Its time is that of writing dW once, a row at a time. The features are loaded again for
 * each class, from L1. Writing 1 KiB of each row in turn, with the features in registers, takes 1.5 times as long in L2 and
 * in memory (Zen 5). */
DOWNHILL_INLINE void one_sample(const enum element element, size_t d, size_t c, const void *x,
                                const float *dscores, unsigned flags, float *dw, size_t lddw)
{
    const __mmask16 before = (flags & GRAD_ACCUMULATE) ? 0xFFFF : 0;
    for (size_t first = 0, end; first < d; first = end) {
        end = d - first < ONE_FEATURES ? d : first + ONE_FEATURES;
        for (size_t j = 0; j < c; j++) {
            const __m512 g_f32x16 = _mm512_set1_ps(dscores[j]);
            float *row = dw + j * lddw;
            size_t k = first;
            for (; k + F32X16 * ONE_VECTORS <= end; k += F32X16 * ONE_VECTORS) {
                DOWNHILL_UNROLL
                for (size_t v = 0; v < ONE_VECTORS; v++)
                    add_to_row(element, 0xFFFF, before, g_f32x16, x, k + F32X16 * v, row);
            }
            for (; k < end; k += F32X16)
                add_to_row(element, first_lanes_x16(end - k), before, g_f32x16, x, k, row);
        }
    }
}

/* 11 to 14 classes, in f32. Widening bf16 leaves too few registers. */
DOWNHILL_INLINE void wide_tiles(const enum target target, size_t classes, size_t n, size_t d,
                                const void *const *x, const float *dscores, size_t ldds,
                                unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    switch (classes) {
    case 14:
        row_of_tiles(ELEMENT_F32, target, 14, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 13:
        row_of_tiles(ELEMENT_F32, target, 13, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 12:
        row_of_tiles(ELEMENT_F32, target, 12, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    default:
        row_of_tiles(ELEMENT_F32, target, 11, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    }
}

DOWNHILL_INLINE void tiles(const enum element element, const enum target target, size_t n, size_t d,
                           size_t c, const void *const *x, const float *dscores, size_t ldds,
                           unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, element == ELEMENT_F32 ? TILE_CLASSES : PANEL_CLASSES);
        const float *ds = dscores + j;
        float *dwj = dw + j * lddw;
        if (element == ELEMENT_F32 && classes > PANEL_CLASSES) {
            wide_tiles(target, classes, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            continue;
        }
        switch (classes) {
        case 10:
            row_of_tiles(element, target, 10, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 9:
            row_of_tiles(element, target, 9, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 8:
            row_of_tiles(element, target, 8, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 7:
            row_of_tiles(element, target, 7, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 6:
            row_of_tiles(element, target, 6, 2, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 5:
            row_of_tiles(element, target, 5, 4, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 4:
            row_of_tiles(element, target, 4, 4, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 3:
            row_of_tiles(element, target, 3, 4, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        case 2:
            row_of_tiles(element, target, 2, 8, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        default:
            row_of_tiles(element, target, 1, 8, n, d, x, ds, ldds, flags, dwj, lddw, prefetch);
            break;
        }
    }
}

/* Compiles the loops once per target, so that none has the instructions of another. */
DOWNHILL_INLINE void grad(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw, struct prefetch *prefetch)
{
    if (n == 1)
        one_sample(element, d, c, x[0], dscores, flags, dw, lddw);
    else if (prefetch->left > 0)
        tiles(element, NEXT_BLOCK, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else if (flags & GRAD_PREFETCH_X)
        tiles(element, AHEAD, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        tiles(element, NEXT_ROWS, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
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
