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

/* Updates 16 weights, or those of the lanes that are on. */
DOWNHILL_INLINE void update_x16(__mmask16 lanes, __m512 decay_f32x16, __m512 step_f32x16,
                                const float *g, float *w)
{
    __m512 decayed_f32x16 = _mm512_mul_ps(decay_f32x16, _mm512_maskz_loadu_ps(lanes, w));
    __m512 move_f32x16 = _mm512_mul_ps(step_f32x16, _mm512_maskz_loadu_ps(lanes, g));
    DOWNHILL_ROUND(decayed_f32x16);
    DOWNHILL_ROUND(move_f32x16);
    _mm512_mask_storeu_ps(w, lanes, _mm512_sub_ps(decayed_f32x16, move_f32x16));
}

DOWNHILL_TARGET
void DOWNHILL_NAME(update_f32)(size_t count, float decay, float step, const float *g, float *w)
{
    const __m512 decay_f32x16 = _mm512_set1_ps(decay);
    const __m512 step_f32x16 = _mm512_set1_ps(step);
    size_t k = 0;
    for (; k + F32X16 <= count; k += F32X16)
        update_x16(0xFFFF, decay_f32x16, step_f32x16, g + k, w + k);
    if (k < count)
        update_x16(first_lanes_x16(count - k), decay_f32x16, step_f32x16, g + k, w + k);
}
