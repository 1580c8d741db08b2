/* SPDX-License-Identifier: MIT
 *
 * Update from a gradient in integers with AVX-512: four loads and a store per vector, and as many
 * roundings as in the definition. */
#include "avx512.h"

/* 16 weights, or those of the lanes that are on; returns their magnitudes, 0 in the others. */
DOWNHILL_INLINE __m512i move(const __mmask16 lanes, __m512 decay, __m512 step, __m512 sum,
                             const int32_t *dw, const float *mean, const float *gain, float *w)
{
    const __m512 dw_f32x16 = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(lanes, dw));
    const __m512 mean_f32x16 = _mm512_maskz_loadu_ps(lanes, mean);
    const __m512 centered = _mm512_sub_ps(dw_f32x16, _mm512_mul_ps(mean_f32x16, sum));
    const __m512 rate = _mm512_mul_ps(step, _mm512_maskz_loadu_ps(lanes, gain));
    const __m512 decayed = _mm512_mul_ps(decay, _mm512_maskz_loadu_ps(lanes, w));
    const __m512 moved = _mm512_sub_ps(decayed, _mm512_mul_ps(rate, centered));
    _mm512_mask_storeu_ps(w, lanes, moved);
    return _mm512_maskz_and_epi32(lanes, _mm512_castps_si512(moved), _mm512_set1_epi32(INT32_MAX));
}

uint32_t downhill_update_u8_avx512(size_t d, float decay, float step, float sum, const int32_t *dw,
                                   const float *mean, const float *gain, float *w)
{
    const __m512 decay_f32x16 = _mm512_set1_ps(decay), step_f32x16 = _mm512_set1_ps(step);
    const __m512 sum_f32x16 = _mm512_set1_ps(sum);
    __m512i most = _mm512_setzero_si512();
    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16)
        most = _mm512_max_epu32(most, move(0xFFFF, decay_f32x16, step_f32x16, sum_f32x16, dw + k,
                                           mean + k, gain + k, w + k));
    if (k < d)
        most = _mm512_max_epu32(most, move(first_lanes_x16(d - k), decay_f32x16, step_f32x16,
                                           sum_f32x16, dw + k, mean + k, gain + k, w + k));
    return _mm512_reduce_max_epu32(most);
}
