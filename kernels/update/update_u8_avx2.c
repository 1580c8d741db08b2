/* SPDX-License-Identifier: MIT
 *
 * Weight update from a gradient of integers with AVX2: two to four loads and a store per vector, with as many roundings as
 * the definition. */
#define DOWNHILL_LEVEL_NAME avx2
#include "simd/avx2.h"

enum { VECTORS = 4 /* per turn of the loop */ };

/* Returns the address of sum k of dw, an int32_t or, in an update from rounded sums, a float. */
DOWNHILL_INLINE const void *element_at(const void *dw, size_t k)
{
    return (const int32_t *)dw + k;
}

/* Factors that all weights of a class share, in every lane. */
struct class_factors {
    __m256 decay, step, sum, times;
};

/* Returns the updated weights, and their magnitudes in *magnitude. */
DOWNHILL_INLINE __m256 updated(const int rounded, const int centered, const int scaled,
                               const struct class_factors *all, __m256i dw, __m256 mean,
                               __m256 gain, __m256 w, __m256i *magnitude)
{
    __m256 dw_f32x8 = _mm256_fmadd_ps(rounded ? _mm256_castsi256_ps(dw) : _mm256_cvtepi32_ps(dw),
                                      all->times, _mm256_setzero_ps());
    if (centered) {
        __m256 mean_part = _mm256_mul_ps(mean, all->sum);
        DOWNHILL_ROUND(mean_part);
        dw_f32x8 = _mm256_sub_ps(dw_f32x8, mean_part);
    }
    const __m256 rate = scaled ? _mm256_mul_ps(all->step, gain) : all->step;
    __m256 decayed = _mm256_mul_ps(all->decay, w), move = _mm256_mul_ps(rate, dw_f32x8);
    DOWNHILL_ROUND(decayed);
    DOWNHILL_ROUND(move);
    const __m256 w_f32x8 = _mm256_sub_ps(decayed, move);
    *magnitude = _mm256_and_si256(_mm256_castps_si256(w_f32x8), _mm256_set1_epi32(INT32_MAX));
    return w_f32x8;
}

DOWNHILL_INLINE void update_x8(const int rounded, const int centered, const int scaled,
                               const struct class_factors *all, const void *dw, const float *mean,
                               const float *gain, float *w, __m256i *magnitude)
{
    _mm256_storeu_ps(w, updated(rounded, centered, scaled, all,
                                _mm256_loadu_si256((const void *)dw), _mm256_loadu_ps(mean),
                                _mm256_loadu_ps(gain), _mm256_loadu_ps(w), magnitude));
}

DOWNHILL_INLINE uint32_t update(const int rounded, const int centered, const int scaled, size_t d,
                                float decay, float step, float sum, float times, const void *dw,
                                const float *mean, const float *gain, float *w)
{
    const struct class_factors all = {_mm256_set1_ps(decay),
                                      _mm256_set1_ps(scaled ? step : step * gain[0]),
                                      _mm256_set1_ps(sum), _mm256_set1_ps(times)};
    __m256i largest = _mm256_setzero_si256(), magnitude;
    size_t k = 0;
    for (; k + F32X8 * VECTORS <= d; k += F32X8 * VECTORS) {
        DOWNHILL_UNROLL
        for (size_t v = k; v < k + F32X8 * VECTORS; v += F32X8) {
            update_x8(rounded, centered, scaled, &all, element_at(dw, v), mean + v, gain + v, w + v,
                      &magnitude);
            largest = _mm256_max_epi32(largest, magnitude);
        }
    }
    for (; k + F32X8 <= d; k += F32X8) {
        update_x8(rounded, centered, scaled, &all, element_at(dw, k), mean + k, gain + k, w + k,
                  &magnitude);
        largest = _mm256_max_epi32(largest, magnitude);
    }
    if (k < d) {
        const __m256i lanes = first_lanes_x8(d - k);
        store_some_x8(w + k, d - k,
                      updated(rounded, centered, scaled, &all,
                              _mm256_maskload_epi32(element_at(dw, k), lanes),
                              _mm256_maskload_ps(mean + k, lanes),
                              _mm256_maskload_ps(gain + k, lanes), _mm256_maskload_ps(w + k, lanes),
                              &magnitude));
        largest = _mm256_max_epi32(largest, _mm256_and_si256(lanes, magnitude));
    }
    __m128i m =
        _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(1, 0, 3, 2)));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, _MM_SHUFFLE(2, 3, 0, 1)));
    return (uint32_t)_mm_cvtsi128_si32(m);
}

#include "update/update_u8.h"
