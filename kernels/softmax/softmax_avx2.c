/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy with AVX2 and FMA: the classes along the lanes, a row at a time. Lanes past
 * c are given the score -∞, whose exponential is 0, so that the sums need no mask. */
#include "kernels.h"
#include "softmax/exp_avx2.h"

DOWNHILL_INLINE __m256 load_or_minus_infinity(const float *s, __m256i lanes)
{
    return _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), _mm256_maskload_ps(s, lanes),
                            _mm256_castsi256_ps(lanes));
}

double downhill_softmax_f32_avx2(size_t n, size_t c, const float *scores, size_t lds,
                                 const int32_t *y, float *dscores, size_t ldds)
{
    log_sum logs = {1.0, 0.0};
    double margins = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        __m256 max_f32x8 = _mm256_set1_ps(-INFINITY);
        for (size_t j = 0; j < c; j += F32X8) {
            const __m256i lanes = first_lanes_x8(c - j);
            max_f32x8 = _mm256_max_ps(max_f32x8, load_or_minus_infinity(s + j, lanes));
        }
        const float max = max_lane_x8(max_f32x8);
        margins += (double)max - (double)s[y[i]]; /* before ds, which may be s, is written */

        max_f32x8 = _mm256_set1_ps(max);
        __m256 sum_f32x8 = _mm256_setzero_ps();
        for (size_t j = 0; j < c; j += F32X8) {
            const __m256i lanes = first_lanes_x8(c - j);
            const __m256 e_f32x8 =
                exp_f32x8(_mm256_sub_ps(load_or_minus_infinity(s + j, lanes), max_f32x8));
            sum_f32x8 = _mm256_add_ps(sum_f32x8, e_f32x8);
            store_some_x8(ds + j, c - j, e_f32x8);
        }
        const float sum = sum_lanes_x8(sum_f32x8);
        log_sum_add(&logs, (double)sum);

        const __m256 scale_f32x8 = _mm256_set1_ps(1.0f / sum);
        for (size_t j = 0; j < c; j += F32X8) {
            const __m256i lanes = first_lanes_x8(c - j);
            store_some_x8(ds + j, c - j,
                          _mm256_mul_ps(_mm256_maskload_ps(ds + j, lanes), scale_f32x8));
        }
        ds[y[i]] -= 1.0f;
    }
    return margins + log_sum_total(&logs);
}
