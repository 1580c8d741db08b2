/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy with AVX-512F, one row at a time, with the classes along the lanes. The rows do not depend on each
 * other, so the latency of one row (two reductions and the exponential) overlaps with its neighbours.
 *
 * Up to 16 classes are one vector, which is loaded and stored once. A masked store is not forwarded to a later load: with
 * the loops for more classes such a row would wait for its exponentials, and for its dscores to subtract 1 from one. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "softmax/exp_avx512.h"

/* Computes the dscores of a row of at most 16 classes and returns the sum of its exponentials. */
DOWNHILL_INLINE float one_vector(__mmask16 lanes, const float *s, size_t label, float *max,
                                 float *ds)
{
    const __m512 s_f32x16 = _mm512_maskz_loadu_ps(lanes, s);
    const __m512 lowest_f32x16 = _mm512_set1_ps(-INFINITY);
    *max = _mm512_reduce_max_ps(_mm512_mask_max_ps(lowest_f32x16, lanes, lowest_f32x16, s_f32x16));
    const __m512 e_f32x16 =
        _mm512_maskz_mov_ps(lanes, exp_f32x16(1, _mm512_sub_ps(s_f32x16, _mm512_set1_ps(*max))));
    const float sum = sum_lanes_x16(e_f32x16);
    const __m512 p_f32x16 = _mm512_mul_ps(e_f32x16, _mm512_set1_ps(1.0f / sum));
    const __m512 one_f32x16 = _mm512_maskz_mov_ps((__mmask16)(1u << label), _mm512_set1_ps(1.0f));
    _mm512_mask_storeu_ps(ds, lanes, _mm512_sub_ps(p_f32x16, one_f32x16));
    return sum;
}

DOWNHILL_TARGET
double DOWNHILL_NAME(softmax_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float *dscores, size_t ldds)
{
    log_sum logs = {1.0, 0.0};
    double max_minus_label = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        if (c <= F32X16) {
            const double s_label = (double)s[y[i]]; /* before writing ds, which may be s */
            float max;
            log_sum_add(&logs, (double)one_vector(first_lanes_x16(c), s, (size_t)y[i], &max, ds));
            max_minus_label += (double)max - s_label;
            continue;
        }
        __m512 max_f32x16 = _mm512_set1_ps(-INFINITY);
        for (size_t j = 0; j < c; j += F32X16) {
            const __mmask16 lanes = first_lanes_x16(c - j);
            max_f32x16 = _mm512_mask_max_ps(max_f32x16, lanes, max_f32x16,
                                            _mm512_maskz_loadu_ps(lanes, s + j));
        }
        const float max = _mm512_reduce_max_ps(max_f32x16);
        max_minus_label += (double)max - (double)s[y[i]]; /* before writing ds, which may be s */

        max_f32x16 = _mm512_set1_ps(max);
        __m512 sum_f32x16 = _mm512_setzero_ps();
        for (size_t j = 0; j < c; j += F32X16) {
            const __mmask16 lanes = first_lanes_x16(c - j);
            const __m512 e_f32x16 =
                exp_f32x16(1, _mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, s + j), max_f32x16));
            sum_f32x16 = _mm512_mask_add_ps(sum_f32x16, lanes, sum_f32x16, e_f32x16);
            _mm512_mask_storeu_ps(ds + j, lanes, e_f32x16);
        }
        const float sum = sum_lanes_x16(sum_f32x16);
        log_sum_add(&logs, (double)sum);

        const __m512 scale_f32x16 = _mm512_set1_ps(1.0f / sum);
        for (size_t j = 0; j < c; j += F32X16) {
            const __mmask16 lanes = first_lanes_x16(c - j);
            _mm512_mask_storeu_ps(
                ds + j, lanes, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, ds + j), scale_f32x16));
        }
        ds[y[i]] -= 1.0f;
    }
    return max_minus_label + log_sum_total(&logs);
}
