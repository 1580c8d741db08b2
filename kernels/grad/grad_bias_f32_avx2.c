/* SPDX-License-Identifier: MIT
 *
 * Gradient of the bias with AVX2: the sums of up to 64 classes stay in registers over all samples. Each sum is one chain
 * of additions. Few classes are bound by the latency of one addition per sample (2 to 4 cycles), many by their loads.
 *
 * Tail: masked loads and a partial store for the last classes. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

enum { LANES = F32X8, VECTORS_MAX = 8 };

/* Adds the dscores of 8·vectors classes to db. Only the first `count` of the last vector are loaded and stored. */
DOWNHILL_INLINE void add_samples(const int vectors, size_t count, size_t n, const float *dscores,
                                 size_t ldds, float *db)
{
    const __m256i lanes = first_lanes_x8(count);
    const size_t last = F32X8 * (size_t)(vectors - 1);
    __m256 sum_f32x8[VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors - 1; v++)
        sum_f32x8[v] = _mm256_loadu_ps(db + F32X8 * v);
    sum_f32x8[vectors - 1] = _mm256_maskload_ps(db + last, lanes);
    for (size_t i = 0; i < n; i++, dscores += ldds) {
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors - 1; v++)
            sum_f32x8[v] = _mm256_add_ps(sum_f32x8[v], _mm256_loadu_ps(dscores + F32X8 * v));
        sum_f32x8[vectors - 1] =
            _mm256_add_ps(sum_f32x8[vectors - 1], _mm256_maskload_ps(dscores + last, lanes));
    }
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors - 1; v++)
        _mm256_storeu_ps(db + F32X8 * v, sum_f32x8[v]);
    store_some_x8(db + last, count, sum_f32x8[vectors - 1]);
}

#include "grad/grad_bias.h"
