/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy of exact scores with AVX-512, one row at a time, with the classes along the lanes, 16 at a time.
 * Lanes past c get the score -∞, whose exponential is 0, so the sums need no mask. */
#define DOWNHILL_LEVEL_NAME avx512
#include "softmax/exp_avx512.h"
#include "softmax/softmax_u8.h"

enum { F64X8 = 8 };

struct f64x16 {
    __m512d low, high;
};

/* Loads the first `count` of 16 scores, or all of them if count >= 16. The other lanes are -∞. */
DOWNHILL_INLINE struct f64x16 scores_x16(const double *s, size_t count)
{
    const __mmask16 lanes = first_lanes_x16(count);
    const __m512d none = _mm512_set1_pd(-INFINITY);
    return (struct f64x16){_mm512_mask_loadu_pd(none, (__mmask8)lanes, s),
                           _mm512_mask_loadu_pd(none, (__mmask8)(lanes >> F64X8), s + F64X8)};
}

DOWNHILL_INLINE __m512d larger_x16(__m512d max, struct f64x16 s)
{
    return _mm512_max_pd(_mm512_max_pd(max, s.low), s.high);
}

DOWNHILL_INLINE __m512 exp_of_scores(struct f64x16 s, __m512d max)
{
    return exp_f32x16(0, joined_x8(_mm512_cvtpd_ps(_mm512_sub_pd(s.low, max)),
                                   _mm512_cvtpd_ps(_mm512_sub_pd(s.high, max))));
}

/* Adds eight exponentials, rounded to multiples of 2⁻³⁷, to the sum z. */
DOWNHILL_INLINE __m512d plus_rounded_x8(__m512d z, __m256 e)
{
    const __m512d rounder = _mm512_set1_pd(EXP_ROUNDER);
    return _mm512_add_pd(z, _mm512_sub_pd(_mm512_add_pd(_mm512_cvtps_pd(e), rounder), rounder));
}

DOWNHILL_INLINE __m512d plus_rounded_x16(__m512d z, __m512 e)
{
    return plus_rounded_x8(plus_rounded_x8(z, _mm512_castps512_ps256(e)),
                           _mm512_extractf32x8_ps(e, 1));
}

/* Stores the first `count` of 16 dscores. The 1 of the label is subtracted first: a masked store is not forwarded to a
 * later load. */
DOWNHILL_INLINE void store_dscores(int16_t *to, size_t count, size_t label, __m512 e, __m512 scale)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __mmask16 is_label = _mm512_cmpeq_epi32_mask(lane, _mm512_set1_epi32((int)label));
    const __m512i p = _mm512_cvtps_epi32(_mm512_mul_ps(e, scale));
    const __m512i g =
        _mm512_mask_sub_epi32(p, is_label, p, _mm512_set1_epi32(DOWNHILL_SOFTMAX_ONE));
    _mm256_mask_storeu_epi16(to, first_lanes_x16(count), _mm512_cvtepi32_epi16(g));
}

/* Computes the dscores of a row of at most SOFTMAX_FEW_CLASSES classes. Returns the sum of its exponentials. */
DOWNHILL_INLINE double few_classes(size_t c, size_t label, const double *s, double *max,
                                   int16_t *ds)
{
    const struct f64x16 scores = scores_x16(s, c);
    *max = _mm512_reduce_max_pd(_mm512_max_pd(scores.low, scores.high));
    const __m512 e = exp_of_scores(scores, _mm512_set1_pd(*max));
    const double sum = _mm512_reduce_add_pd(plus_rounded_x16(_mm512_setzero_pd(), e));
    store_dscores(ds, c, label, e, _mm512_set1_ps((float)(DOWNHILL_SOFTMAX_ONE / sum)));
    return sum;
}

/* Computes the dscores of a row of any number of classes. Returns the sum of its exponentials. */
DOWNHILL_INLINE double any_classes(size_t c, size_t label, const double *s, double *max,
                                   int16_t *ds)
{
    float kept[SOFTMAX_KEPT];
    __m512d max_f64x8 = _mm512_set1_pd(-INFINITY), z = _mm512_setzero_pd();
    for (size_t j = 0; j < c; j += F32X16)
        max_f64x8 = larger_x16(max_f64x8, scores_x16(s + j, c - j));
    *max = _mm512_reduce_max_pd(max_f64x8);
    max_f64x8 = _mm512_set1_pd(*max);
    for (size_t j = 0; j < c; j += F32X16) {
        const __m512 e = exp_of_scores(scores_x16(s + j, c - j), max_f64x8);
        if (j < SOFTMAX_KEPT)
            _mm512_storeu_ps(kept + j, e);
        z = plus_rounded_x16(z, e);
    }
    const double sum = _mm512_reduce_add_pd(z);
    const __m512 scale = _mm512_set1_ps((float)(DOWNHILL_SOFTMAX_ONE / sum));
    for (size_t j = 0; j < c; j += F32X16) {
        const __m512 e = j < SOFTMAX_KEPT ? _mm512_loadu_ps(kept + j)
                                          : exp_of_scores(scores_x16(s + j, c - j), max_f64x8);
        store_dscores(ds + j, c - j, label - j, e, scale);
    }
    return sum;
}

#include "softmax/softmax_u8_rows.h"
