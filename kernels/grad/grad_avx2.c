/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX2 and FMA: an outer product per sample, the features along the lanes, a register
 * tile of up to 5 classes × 16 features that stays in registers over the samples of the block.
 *
 * Per sample a full tile loads 2 vectors of X, broadcasts 5 dscores and loads a row pointer, for 10
 * FMAs: 5 cycles of FMA at two a cycle against 4 of loads at two a cycle. 10 sums + 2 of X + 1
 * broadcast use 13 of 16 registers. Fewer classes take wider tiles to keep enough independent sums.
 * X comes from L2 (the frame chose the block so) and is read once for every 5 classes. Tail of the
 * features: one vector with masked loads and stores. */
#include "avx2.h"
#include "kernels.h"

enum { TILE_CLASSES = 5, TILE_VECTORS = 6 };

DOWNHILL_INLINE void tile(const int classes, const int vectors, size_t n, size_t k,
                          const float *const *x, const float *dscores, size_t ldds, float *dw,
                          size_t lddw)
{
    __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS];
    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            sum_f32x8[j][v] = _mm256_loadu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v);

    for (size_t i = 0; i < n; i++) {
        __m256 x_f32x8[TILE_VECTORS];
        for (int v = 0; v < vectors; v++)
            x_f32x8[v] = _mm256_loadu_ps(x[i] + k + F32X8 * (size_t)v);
        for (int j = 0; j < classes; j++) {
            const __m256 g_f32x8 = _mm256_broadcast_ss(dscores + i * ldds + (size_t)j);
            for (int v = 0; v < vectors; v++)
                sum_f32x8[j][v] = _mm256_fmadd_ps(g_f32x8, x_f32x8[v], sum_f32x8[j][v]);
        }
    }

    for (int j = 0; j < classes; j++)
        for (int v = 0; v < vectors; v++)
            _mm256_storeu_ps(dw + (size_t)j * lddw + k + F32X8 * (size_t)v, sum_f32x8[j][v]);
}

DOWNHILL_INLINE void tail_tile(const int classes, const __m256i lanes, size_t n, size_t k,
                               const float *const *x, const float *dscores, size_t ldds, float *dw,
                               size_t lddw)
{
    __m256 sum_f32x8[TILE_CLASSES];
    for (int j = 0; j < classes; j++)
        sum_f32x8[j] = _mm256_maskload_ps(dw + (size_t)j * lddw + k, lanes);
    for (size_t i = 0; i < n; i++) {
        const __m256 x_f32x8 = _mm256_maskload_ps(x[i] + k, lanes);
        for (int j = 0; j < classes; j++)
            sum_f32x8[j] = _mm256_fmadd_ps(_mm256_broadcast_ss(dscores + i * ldds + (size_t)j),
                                           x_f32x8, sum_f32x8[j]);
    }
    for (int j = 0; j < classes; j++)
        _mm256_maskstore_ps(dw + (size_t)j * lddw + k, lanes, sum_f32x8[j]);
}

DOWNHILL_INLINE void row_of_tiles(const int classes, const int vectors, size_t n, size_t d,
                                  const float *const *x, const float *dscores, size_t ldds,
                                  float *dw, size_t lddw)
{
    const size_t width = F32X8 * (size_t)vectors;
    size_t k = 0;
    for (; k + width <= d; k += width)
        tile(classes, vectors, n, k, x, dscores, ldds, dw, lddw);
    for (; k + F32X8 <= d; k += F32X8)
        tile(classes, 1, n, k, x, dscores, ldds, dw, lddw);
    if (k < d)
        tail_tile(classes, first_lanes_x8(d - k), n, k, x, dscores, ldds, dw, lddw);
}

void downhill_grad_f32_avx2(size_t n, size_t d, size_t c, const float *const *x,
                            const float *dscores, size_t ldds, float *dw, size_t lddw)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *ds = dscores + j;
        float *dwj = dw + j * lddw;
        switch (classes) {
        case 5:
            row_of_tiles(5, 2, n, d, x, ds, ldds, dwj, lddw);
            break;
        case 4:
            row_of_tiles(4, 2, n, d, x, ds, ldds, dwj, lddw);
            break;
        case 3:
            row_of_tiles(3, 3, n, d, x, ds, ldds, dwj, lddw);
            break;
        case 2:
            row_of_tiles(2, 5, n, d, x, ds, ldds, dwj, lddw);
            break;
        default:
            row_of_tiles(1, 6, n, d, x, ds, ldds, dwj, lddw);
            break;
        }
    }
}
