/* SPDX-License-Identifier: MIT
 *
 * A register tile of the gradient with AVX-512F, for grad_f32_avx512.c: up to 14 classes × 32 features or 5 × 64 of dW. */
#ifndef DOWNHILL_GRAD_TILE_AVX512_H
#define DOWNHILL_GRAD_TILE_AVX512_H

#include "isa/kernels.h"
#include "simd/avx512.h"

enum { TILE_CLASSES = GRAD_CLASSES_AVX512, TILE_VECTORS = 4, TILE_ROWS = 2 };

/* Prefetches one cache line of a tile, which holds vector v and in bf16 the next one, as `target` says. x points to
 * the current row. The address is that of the last feature. Where rows do not start at a cache line a tile ends in a
 * line that it shares with the next tile; that line would otherwise be requested too late. */
DOWNHILL_INLINE void prefetch_line(const enum element element, const enum target target,
                                   const int vectors, const int v, size_t k, const void *const *x)
{
    const size_t line = LINE_BYTES / element_bytes(element),
                 in_tile = k + F32X16 * (size_t)v + line - 1,
                 ahead = in_tile + F32X16 * (size_t)vectors;
    if (target == NEXT_ROWS)
        _mm_prefetch(feature_at(element, x[TILE_ROWS], in_tile), _MM_HINT_T0);
    else if (target == AHEAD_L1)
        _mm_prefetch(feature_at(element, x[0], ahead), _MM_HINT_T0);
    else
        _mm_prefetch(feature_at(element, x[0], ahead), _MM_HINT_T1);
}

/* The last vector of a tile. If it would reach past the last feature it starts `back` features early, and only
 * `lanes` of dW are loaded and stored. X is loaded without a mask, because a masked load that crosses a cache line
 * takes 4 cycles more (Zen 5). Only rows of fewer features than one vector need a mask. */
struct last {
    size_t back;
    __mmask16 x_lanes, lanes;
};

static const struct last whole = {0, 0xFFFF, 0xFFFF};

/* Returns the offset of vector v of a tile in features. It is negative if the tile has one vector, which starts early. */
DOWNHILL_INLINE ptrdiff_t offset_of(const int v, const int vectors, struct last last)
{
    return F32X16 * (ptrdiff_t)v - (v + 1 < vectors ? 0 : (ptrdiff_t)last.back);
}

DOWNHILL_INLINE __mmask16 lanes_of(const int v, const int vectors, struct last last)
{
    return v + 1 < vectors ? 0xFFFF : last.lanes;
}

/* Adds dscoresᵀ X of `rows` samples to the sums. */
DOWNHILL_INLINE void add_rows(const enum element element, const int rows, const int classes,
                              const int vectors, struct last last, size_t k, const void *const *x,
                              const float *dscores, size_t ldds,
                              __m512 sum_f32x16[TILE_CLASSES][TILE_VECTORS])
{
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const char *x_k = feature_at(element, x[r], k);
        __m512 x_f32x16[TILE_VECTORS];
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++)
            x_f32x16[v] = some_features_x16(
                element, v + 1 < vectors ? 0xFFFF : last.x_lanes,
                x_k + offset_of(v, vectors, last) * (ptrdiff_t)element_bytes(element), 0);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512 g_f32x16 = _mm512_set1_ps(dscores[(size_t)r * ldds + (size_t)j]);
            DOWNHILL_UNROLL
            for (int v = 0; v < vectors; v++)
                sum_f32x16[j][v] = _mm512_fmadd_ps(g_f32x16, x_f32x16[v], sum_f32x16[j][v]);
        }
    }
}

/* Computes dW[0 … classes)[k … k + 16·vectors). */
DOWNHILL_INLINE void tile(const enum element element, const enum target target, const int classes,
                          const int vectors, struct last last, size_t n, size_t k,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw, struct prefetch *prefetch)
{
    __m512 sum_f32x16[TILE_CLASSES][TILE_VECTORS];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++)
            sum_f32x16[j][v] = _mm512_setzero_ps();
    }
    if (flags & GRAD_ACCUMULATE) {
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            DOWNHILL_UNROLL
            for (int v = 0; v < vectors; v++)
                sum_f32x16[j][v] =
                    _mm512_maskz_loadu_ps(lanes_of(v, vectors, last),
                                          dw + (size_t)j * lddw + k + offset_of(v, vectors, last));
        }
    } else if (flags & GRAD_DW_FAR) {
        fetch_dw(classes, vectors, dw + k, lddw);
    }

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
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++) {
                if (target == NEXT_BLOCK)
                    prefetch_step(&run);
                DOWNHILL_UNROLL
                for (int v = 0; target != NEXT_BLOCK && v < vectors; v += vectors_per_line)
                    prefetch_line(element, target, vectors, v, k, x + i + r);
            }
            add_rows(element, rows, classes, vectors, last, k, x + i, dscores + i * ldds, ldds,
                     sum_f32x16);
        }
    }
    if (i < n)
        add_rows(element, 1, classes, vectors, last, k, x + i, dscores + i * ldds, ldds,
                 sum_f32x16);

    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++)
            _mm512_mask_storeu_ps(dw + (size_t)j * lddw + k + offset_of(v, vectors, last),
                                  lanes_of(v, vectors, last), sum_f32x16[j][v]);
    }
}

DOWNHILL_INLINE void row_of_tiles(const enum element element, const enum target target,
                                  const int classes, size_t n, size_t d, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch)
{
    const size_t width = grad_tile_features((size_t)classes);
    const int vectors = (int)(width / F32X16);
    if (d < F32X16) {
        const __mmask16 lanes = first_lanes_x16(d);
        tile(element, target, classes, 1, (struct last){0, lanes, lanes}, n, 0, x, dscores, ldds,
             flags, dw, lddw, prefetch);
        return;
    }
    size_t k = 0;
    for (; d - k > width + (vectors > 2 ? F32X16 : 0); k += width)
        tile(element, target, classes, vectors, whole, n, k, x, dscores, ldds, flags, dw, lddw,
             prefetch);
    /* A remainder one vector wider than a tile is split into two tiles of about equal width, because a tile of one
     * vector has too few sums. */
    if (vectors > 2 && d - k > width) {
        tile(element, target, classes, vectors / 2 + 1, whole, n, k, x, dscores, ldds, flags, dw,
             lddw, prefetch);
        k += F32X16 * (size_t)(vectors / 2 + 1);
    }
    const size_t left = (d - k + F32X16 - 1) / F32X16, back = k + F32X16 * left - d;
    const struct last last = {back, 0xFFFF, (__mmask16)(0xFFFFu << back)};
    if (vectors >= 4 && left == 4)
        tile(element, target, classes, 4, last, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    else if (vectors >= 3 && left == 3)
        tile(element, target, classes, 3, last, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    else if (vectors >= 2 && left == 2)
        tile(element, target, classes, 2, last, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        tile(element, target, classes, 1, last, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
}

#endif
