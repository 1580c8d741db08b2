/* SPDX-License-Identifier: MIT
 *
 * Update from a gradient in integers with AVX-512: two to four loads and a store per vector, and as many
 * roundings as in the definition. */
#include "avx512.h"

/* 16 weights, or those of the lanes that are on; returns their magnitudes, 0 in the others. */
DOWNHILL_INLINE __m512i move(const int centered, const int scaled, const __mmask16 lanes,
                             __m512 decay, __m512 step, __m512 sum, const int32_t *dw,
                             const float *mean, const float *gain, float *w)
{
    __m512 dw_f32x16 = _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(lanes, dw));
    if (centered)
        dw_f32x16 =
            _mm512_sub_ps(dw_f32x16, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, mean), sum));
    const __m512 rate = scaled ? _mm512_mul_ps(step, _mm512_maskz_loadu_ps(lanes, gain)) : step;
    const __m512 decayed = _mm512_mul_ps(decay, _mm512_maskz_loadu_ps(lanes, w));
    const __m512 moved = _mm512_sub_ps(decayed, _mm512_mul_ps(rate, dw_f32x16));
    _mm512_mask_storeu_ps(w, lanes, moved);
    return _mm512_maskz_and_epi32(lanes, _mm512_castps_si512(moved), _mm512_set1_epi32(INT32_MAX));
}

DOWNHILL_INLINE uint32_t update(const int centered, const int scaled, size_t d, float decay,
                                float step, float sum, const int32_t *dw, const float *mean,
                                const float *gain, float *w)
{
    const __m512 decay_f32x16 = _mm512_set1_ps(decay);
    const __m512 step_f32x16 = _mm512_set1_ps(scaled ? step : step * gain[0]);
    const __m512 sum_f32x16 = _mm512_set1_ps(sum);
    __m512i most = _mm512_setzero_si512();
    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16)
        most = _mm512_max_epu32(most, move(centered, scaled, 0xFFFF, decay_f32x16, step_f32x16,
                                           sum_f32x16, dw + k, mean + k, gain + k, w + k));
    if (k < d)
        most = _mm512_max_epu32(most,
                                move(centered, scaled, first_lanes_x16(d - k), decay_f32x16,
                                     step_f32x16, sum_f32x16, dw + k, mean + k, gain + k, w + k));
    return _mm512_reduce_max_epu32(most);
}

uint32_t downhill_update_u8_avx512(size_t d, unsigned flags, float decay, float step, float sum,
                                   const int32_t *dw, const float *mean, const float *gain,
                                   float *w)
{
    switch (flags) {
    case UPDATE_CENTERED | UPDATE_SCALED:
        return update(1, 1, d, decay, step, sum, dw, mean, gain, w);
    case UPDATE_CENTERED:
        return update(1, 0, d, decay, step, sum, dw, mean, gain, w);
    case UPDATE_SCALED:
        return update(0, 1, d, decay, step, sum, dw, mean, gain, w);
    default:
        return update(0, 0, d, decay, step, sum, dw, mean, gain, w);
    }
}
