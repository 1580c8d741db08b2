/* SPDX-License-Identifier: MIT
 *
 * Weight update with AVX2: two loads and a store per vector, bound by the cache level or memory that holds W and dW.
 *
 * It uses two multiplications and a subtraction, as the definition does, instead of an FMA. Memory leaves the time for
 * that, and the weights have the same bits on every ISA level. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

DOWNHILL_TARGET
void DOWNHILL_NAME(update_f32)(size_t count, float decay, float step, const float *g, float *w)
{
    const __m256 decay_f32x8 = _mm256_set1_ps(decay);
    const __m256 step_f32x8 = _mm256_set1_ps(step);
    size_t k = 0;
    for (; k + F32X8 <= count; k += F32X8) {
        __m256 decayed_f32x8 = _mm256_mul_ps(decay_f32x8, _mm256_loadu_ps(w + k));
        __m256 move_f32x8 = _mm256_mul_ps(step_f32x8, _mm256_loadu_ps(g + k));
        DOWNHILL_ROUND(decayed_f32x8);
        DOWNHILL_ROUND(move_f32x8);
        _mm256_storeu_ps(w + k, _mm256_sub_ps(decayed_f32x8, move_f32x8));
    }
    for (; k < count; k++) {
        float decayed = decay * w[k], move = step * g[k];
        DOWNHILL_ROUND(decayed);
        DOWNHILL_ROUND(move);
        w[k] = decayed - move;
    }
}
