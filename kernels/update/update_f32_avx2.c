/* SPDX-License-Identifier: MIT
 *
 * Weight update with AVX2: two loads and a store per vector, bound by the cache level or memory that holds W and dW.
 *
 * It uses two multiplications and a subtraction, as the definition does, instead of an FMA. Memory leaves the time for
 * that, and the weights have the same bits on every ISA level. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

/* Returns decay·w − step·g. */
DOWNHILL_INLINE __m256 updated_x8(__m256 decay, __m256 step, __m256 w, __m256 g)
{
    __m256 decayed = _mm256_mul_ps(decay, w), move = _mm256_mul_ps(step, g);
    DOWNHILL_ROUND(decayed);
    DOWNHILL_ROUND(move);
    return _mm256_sub_ps(decayed, move);
}

/* Vectors per iteration: 4 make it bound by its 8 loads and 4 stores, wherever the linker places the loop. */
enum { UNROLL = 4 };

DOWNHILL_TARGET
void DOWNHILL_NAME(update_f32)(size_t count, float decay, float step, const float *g, float *w)
{
    const __m256 decay_f32x8 = _mm256_set1_ps(decay);
    const __m256 step_f32x8 = _mm256_set1_ps(step);
    size_t k = 0;
    for (; k + UNROLL * F32X8 <= count; k += UNROLL * F32X8)
        for (int u = 0; u < UNROLL; u++) {
            float *w_u = w + k + u * F32X8;
            const __m256 g_f32x8 = _mm256_loadu_ps(g + k + u * F32X8);
            _mm256_storeu_ps(w_u,
                             updated_x8(decay_f32x8, step_f32x8, _mm256_loadu_ps(w_u), g_f32x8));
        }
    for (; k + F32X8 <= count; k += F32X8)
        _mm256_storeu_ps(w + k, updated_x8(decay_f32x8, step_f32x8, _mm256_loadu_ps(w + k),
                                           _mm256_loadu_ps(g + k)));
    if (k < count) {
        const __m256i lanes = first_lanes_x8(count - k);
        store_some_x8(w + k, count - k,
                      updated_x8(decay_f32x8, step_f32x8, _mm256_maskload_ps(w + k, lanes),
                                 _mm256_maskload_ps(g + k, lanes)));
    }
}
