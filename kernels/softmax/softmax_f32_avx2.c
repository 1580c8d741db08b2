/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy with AVX2 and FMA, one row at a time, with the classes along the lanes. The last, partial
 * vector of a row is handled separately. Its lanes past c get the score -∞, whose exponential is 0, so the sums need no
 * mask. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "softmax/exp_avx2.h"

DOWNHILL_INLINE __m256 load_or_minus_infinity(const float *s, __m256i lanes)
{
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), _mm256_maskload_ps(s, lanes),
                            _mm256_castsi256_ps(lanes));
}

DOWNHILL_TARGET
double DOWNHILL_NAME(softmax_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float *dscores, size_t ldds)
{
    const size_t vector_end = c / F32X8 * F32X8, tail = c - vector_end;
    const __m256i lanes = first_lanes_x8(tail);
    log_sum logs = {1.0, 0.0};
    double max_minus_label = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        __m256 max_f32x8 = _mm256_set1_ps(-INFINITY);
        for (size_t j = 0; j < vector_end; j += F32X8)
            max_f32x8 = _mm256_max_ps(max_f32x8, _mm256_loadu_ps(s + j));
        if (tail > 0)
            max_f32x8 = _mm256_max_ps(max_f32x8, load_or_minus_infinity(s + vector_end, lanes));
        const float max = max_lane_x8(max_f32x8);
        max_minus_label += (double)max - (double)s[y[i]]; /* before writing ds, which may be s */

        max_f32x8 = _mm256_set1_ps(max);
        /* Class j is added to sum j mod 16, as with AVX-512: two vectors take turns. */
        __m256 sum_f32x8 = _mm256_setzero_ps(), other_sum_f32x8 = sum_f32x8, last_f32x8 = sum_f32x8;
        DOWNHILL_UNROLL_2
        for (size_t j = 0; j < vector_end; j += F32X8) {
            const __m256 e_f32x8 = exp_f32x8(1, _mm256_sub_ps(_mm256_loadu_ps(s + j), max_f32x8));
            const __m256 added_f32x8 = _mm256_add_ps(sum_f32x8, e_f32x8);
            sum_f32x8 = other_sum_f32x8;
            other_sum_f32x8 = added_f32x8;
            _mm256_storeu_ps(ds + j, e_f32x8);
        }
        if (tail > 0) {
            last_f32x8 = exp_f32x8(
                1, _mm256_sub_ps(load_or_minus_infinity(s + vector_end, lanes), max_f32x8));
            sum_f32x8 = _mm256_add_ps(sum_f32x8, last_f32x8);
        }
        const float sum = sum_lanes_x8(_mm256_add_ps(sum_f32x8, other_sum_f32x8));
        log_sum_add(&logs, (double)sum);

        const __m256 scale_f32x8 = _mm256_set1_ps(1.0f / sum);
        for (size_t j = 0; j < vector_end; j += F32X8)
            _mm256_storeu_ps(ds + j, _mm256_mul_ps(_mm256_loadu_ps(ds + j), scale_f32x8));
        if (tail > 0)
            store_some_x8(ds + vector_end, tail, _mm256_mul_ps(last_f32x8, scale_f32x8));
        ds[y[i]] -= 1.0f;
    }
    return max_minus_label + log_sum_total(&logs);
}
