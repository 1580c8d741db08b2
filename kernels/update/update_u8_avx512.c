/* SPDX-License-Identifier: MIT
 *
 * Weight update from a gradient of integers with AVX-512: two to four loads and a store per vector, with as many roundings
 * as the definition. */
#define DOWNHILL_LEVEL_NAME avx512
#include "simd/avx512.h"

enum { VECTORS = 4 /* per turn of the loop */ };

/* Returns the address of sum k of dw, an int32_t or, in an update from rounded sums, a float. */
DOWNHILL_INLINE const void *element_at(const void *dw, size_t k)
{
    return (const int32_t *)dw + k;
}

/* Factors that all weights of a class share, in every lane. */
struct class_factors {
    __m512 decay, step, sum, times;
};

/* Updates 16 weights, or those in the lanes that are on. Returns their magnitudes, 0 in the other lanes. */
DOWNHILL_INLINE __m512i update_x16(const int rounded, const int centered, const int scaled,
                                   const __mmask16 lanes, const struct class_factors *all,
                                   const void *dw, const float *mean, const float *gain, float *w)
{
    const __m512i sums = _mm512_maskz_loadu_epi32(lanes, dw);
    __m512 dw_f32x16 =
        _mm512_fmadd_ps(rounded ? _mm512_castsi512_ps(sums) : _mm512_cvtepi32_ps(sums), all->times,
                        _mm512_setzero_ps());
    if (centered) {
        __m512 mean_part = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, mean), all->sum);
        DOWNHILL_ROUND(mean_part);
        dw_f32x16 = _mm512_sub_ps(dw_f32x16, mean_part);
    }
    const __m512 rate =
        scaled ? _mm512_mul_ps(all->step, _mm512_maskz_loadu_ps(lanes, gain)) : all->step;
    __m512 decayed = _mm512_mul_ps(all->decay, _mm512_maskz_loadu_ps(lanes, w));
    __m512 move = _mm512_mul_ps(rate, dw_f32x16);
    DOWNHILL_ROUND(decayed);
    DOWNHILL_ROUND(move);
    const __m512 updated = _mm512_sub_ps(decayed, move);
    _mm512_mask_storeu_ps(w, lanes, updated);
    return _mm512_maskz_and_epi32(lanes, _mm512_castps_si512(updated),
                                  _mm512_set1_epi32(INT32_MAX));
}

DOWNHILL_INLINE uint32_t update(const int rounded, const int centered, const int scaled, size_t d,
                                float decay, float step, float sum, float times, const void *dw,
                                const float *mean, const float *gain, float *w)
{
    const struct class_factors all = {_mm512_set1_ps(decay),
                                      _mm512_set1_ps(scaled ? step : step * gain[0]),
                                      _mm512_set1_ps(sum), _mm512_set1_ps(times)};
    __m512i largest = _mm512_setzero_si512();
    size_t k = 0;
    for (; k + F32X16 * VECTORS <= d; k += F32X16 * VECTORS) {
        DOWNHILL_UNROLL
        for (size_t v = k; v < k + F32X16 * VECTORS; v += F32X16)
            largest =
                _mm512_max_epu32(largest, update_x16(rounded, centered, scaled, 0xFFFF, &all,
                                                     element_at(dw, v), mean + v, gain + v, w + v));
    }
    for (; k + F32X16 <= d; k += F32X16)
        largest =
            _mm512_max_epu32(largest, update_x16(rounded, centered, scaled, 0xFFFF, &all,
                                                 element_at(dw, k), mean + k, gain + k, w + k));
    if (k < d)
        largest = _mm512_max_epu32(largest,
                                   update_x16(rounded, centered, scaled, first_lanes_x16(d - k),
                                              &all, element_at(dw, k), mean + k, gain + k, w + k));
    return _mm512_reduce_max_epu32(largest);
}

#include "update/update_u8.h"
