/* SPDX-License-Identifier: MIT
 *
 * Gradient of the bias with AVX-512F: the sums of up to 128 classes stay in registers over all samples. Each sum is one chain
 * of additions. Few classes are bound by the latency of one addition per sample (2 to 4 cycles), many by their loads.
 *
 * Tail: masked loads and a masked store for the last classes. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { LANES = F32X16, VECTORS_MAX = 8 };

/* Adds the dscores of 16·vectors classes to db. Only the first `count` of the last vector are loaded and stored. */
DOWNHILL_INLINE void add_samples(const int vectors, size_t count, size_t n, const float *dscores,
                                 size_t ldds, float *db)
{
    const __mmask16 lanes = first_lanes_x16(count);
    __m512 sum_f32x16[VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        sum_f32x16[v] =
            _mm512_maskz_loadu_ps(v + 1 < vectors ? 0xFFFF : lanes, db + F32X16 * (size_t)v);
    for (size_t i = 0; i < n; i++) {
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++)
            sum_f32x16[v] = _mm512_add_ps(
                sum_f32x16[v], _mm512_maskz_loadu_ps(v + 1 < vectors ? 0xFFFF : lanes,
                                                     dscores + i * ldds + F32X16 * (size_t)v));
    }
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        _mm512_mask_storeu_ps(db + F32X16 * (size_t)v, v + 1 < vectors ? 0xFFFF : lanes,
                              sum_f32x16[v]);
}

#include "grad/grad_bias.h"
