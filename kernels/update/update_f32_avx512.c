/* SPDX-License-Identifier: MIT
 *
 * Weight update with AVX-512F: two loads and a store per vector, bound by the cache level or memory that holds W and
 * dW.
 *
 * It uses two multiplications and a subtraction, as the definition does, instead of an FMA. Memory leaves the time for
 * that, and the weights have the same bits on every ISA level. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

DOWNHILL_TARGET
void DOWNHILL_NAME(update_f32)(size_t count, float decay, float step, const float *g, float *w)
{
    const __m512 decay_f32x16 = _mm512_set1_ps(decay);
    const __m512 step_f32x16 = _mm512_set1_ps(step);
    for (size_t k = 0; k < count; k += F32X16) {
        const __mmask16 lanes = first_lanes_x16(count - k);
        __m512 decayed_f32x16 = _mm512_mul_ps(decay_f32x16, _mm512_maskz_loadu_ps(lanes, w + k));
        __m512 move_f32x16 = _mm512_mul_ps(step_f32x16, _mm512_maskz_loadu_ps(lanes, g + k));
        DOWNHILL_ROUND(decayed_f32x16);
        DOWNHILL_ROUND(move_f32x16);
        _mm512_mask_storeu_ps(w + k, lanes, _mm512_sub_ps(decayed_f32x16, move_f32x16));
    }
}
