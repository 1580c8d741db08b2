/* SPDX-License-Identifier: MIT
 *
 * Update with AVX2: two loads and a store per vector, bound by the level that holds W and dW. A
 * multiplication each and a subtraction, as in the definition, and not an FMA: the memory leaves
 * the time for it, and the weights stay the same bits on every level. */
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
