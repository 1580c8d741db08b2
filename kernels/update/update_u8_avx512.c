/* SPDX-License-Identifier: MIT
 *
 * Update from a gradient in integers with AVX-512: four loads and a store per vector, and as many
 * roundings as in the definition. */
#include "avx512.h"

uint32_t downhill_update_u8_avx512(size_t d, float decay, float step, float sum, const int32_t *dw,
                                   const float *mean, const float *gain, float *w)
{
    const __m512 decay_f32x16 = _mm512_set1_ps(decay), step_f32x16 = _mm512_set1_ps(step);
    const __m512 sum_f32x16 = _mm512_set1_ps(sum);
    __m512i most = _mm512_setzero_si512();
    for (size_t k = 0; k < d; k += F32X16) {
        const __mmask16 lanes = first_lanes_x16(d - k);
        const __m512 dw_f32x16 = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(lanes, dw + k));
        const __m512 centered_f32x16 = _mm512_sub_ps(
            dw_f32x16, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, mean + k), sum_f32x16));
        const __m512 rate_f32x16 =
            _mm512_mul_ps(step_f32x16, _mm512_maskz_loadu_ps(lanes, gain + k));
        const __m512 decayed_f32x16 =
            _mm512_mul_ps(decay_f32x16, _mm512_maskz_loadu_ps(lanes, w + k));
        const __m512 w_f32x16 =
            _mm512_sub_ps(decayed_f32x16, _mm512_mul_ps(rate_f32x16, centered_f32x16));
        _mm512_mask_storeu_ps(w + k, lanes, w_f32x16);
        const __m512i magnitude =
            _mm512_and_si512(_mm512_castps_si512(w_f32x16), _mm512_set1_epi32(INT32_MAX));
        most = _mm512_mask_max_epu32(most, lanes, most, magnitude);
    }
    return _mm512_reduce_max_epu32(most);
}
