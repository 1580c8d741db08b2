/* SPDX-License-Identifier: MIT
 *
 * A register tile of the gradient with AVX2 and FMA: up to 6 classes of dW, with the features along the lanes. */
#ifndef DOWNHILL_GRAD_TILE_AVX2_H
#define DOWNHILL_GRAD_TILE_AVX2_H

#include "isa/kernels.h"
#include "simd/avx2.h"

#include <stdbool.h>

enum { TILE_CLASSES = 6, TILE_VECTORS = 3 };

/* Samples per step of prefetch.h. */
enum { PREFETCH_ROWS = 2 };

/* Starts the sums from dW, which makes each element one chain of FMAs over all samples, or from 0. */
DOWNHILL_INLINE void load_sums(const int classes, const int vectors, bool accumulate, size_t k,
                               const float *dw, size_t lddw,
                               __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS])
{
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            sum_f32x8[j][v] = accumulate
                                  ? _mm256_loadu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v)
                                  : _mm256_setzero_ps();
}

DOWNHILL_INLINE void store_sums(const int classes, const int vectors,
                                __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS], size_t k, float *dw,
                                size_t lddw)
{
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            _mm256_storeu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v, sum_f32x8[j][v]);
}

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

#endif
