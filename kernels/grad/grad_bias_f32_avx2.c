/* SPDX-License-Identifier: MIT
 *
 * Gradient of the bias with AVX2: the sums of up to 64 classes stay in registers over all samples. Each sum is one chain of
 * additions. Few classes are bound by the latency of one addition per sample (2 to 4 cycles), many by their loads.
 *
 * Tail: masked loads and a partial store for the last classes. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

enum { VECTORS_MAX = 8 };

/* Adds the dscores of 8·vectors classes to db. */
DOWNHILL_INLINE void add_whole(const int vectors, size_t n, const float *dscores, size_t ldds,
                               float *db)
{
    __m256 sum_f32x8[VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        sum_f32x8[v] = _mm256_loadu_ps(db + F32X8 * v);
    for (size_t i = 0; i < n; i++) {
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++)
            sum_f32x8[v] =
                _mm256_add_ps(sum_f32x8[v], _mm256_loadu_ps(dscores + i * ldds + F32X8 * v));
    }
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        _mm256_storeu_ps(db + F32X8 * v, sum_f32x8[v]);
}

/* Adds the dscores of the last `count` < 8 classes to db. */
DOWNHILL_INLINE void add_some(size_t count, size_t n, const float *dscores, size_t ldds, float *db)
{
    const __m256i lanes = first_lanes_x8(count);
    __m256 sum_f32x8 = _mm256_maskload_ps(db, lanes);
    for (size_t i = 0; i < n; i++)
        sum_f32x8 = _mm256_add_ps(sum_f32x8, _mm256_maskload_ps(dscores + i * ldds, lanes));
    store_some_x8(db, count, sum_f32x8);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bias_f32)(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    size_t j = 0;
    for (; j + F32X8 * VECTORS_MAX <= c; j += F32X8 * VECTORS_MAX)
        add_whole(VECTORS_MAX, n, dscores + j, ldds, db + j);
    for (; j + F32X8 * 4 <= c; j += F32X8 * 4)
        add_whole(4, n, dscores + j, ldds, db + j);
    for (; j + F32X8 * 2 <= c; j += F32X8 * 2)
        add_whole(2, n, dscores + j, ldds, db + j);
    for (; j + F32X8 <= c; j += F32X8)
        add_whole(1, n, dscores + j, ldds, db + j);
    if (j < c)
        add_some(c - j, n, dscores + j, ldds, db + j);
}
