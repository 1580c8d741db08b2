/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy of exact scores with AVX2, one row at a time, with the classes along the lanes, eight at a time.
 * Lanes past c get the score -∞, whose exponential is 0, so the sums need no mask. */
#define DOWNHILL_LEVEL_NAME avx2
#include "softmax/exp_avx2.h"
#include "softmax/softmax_u8.h"

enum { F64X4 = 4 };

struct f64x8 {
    __m256d low, high;
};

DOWNHILL_INLINE __m256d some_scores_x4(const double *s, size_t count)
{
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256i lanes = _mm256_cmpgt_epi64(_mm256_set1_epi64x((int64_t)count), lane);
    return _mm256_blendv_pd(_mm256_set1_pd(-INFINITY), _mm256_maskload_pd(s, lanes),
                            _mm256_castsi256_pd(lanes));
}

/* Loads the first `count` of eight scores, or all of them if count >= 8. The other lanes are -∞. */
DOWNHILL_INLINE struct f64x8 scores_x8(const double *s, size_t count)
{
    if (count >= F32X8)
        return (struct f64x8){_mm256_loadu_pd(s), _mm256_loadu_pd(s + F64X4)};
    if (count > F64X4)
        return (struct f64x8){_mm256_loadu_pd(s), some_scores_x4(s + F64X4, count - F64X4)};
    return (struct f64x8){some_scores_x4(s, count), _mm256_set1_pd(-INFINITY)};
}

DOWNHILL_INLINE __m256d larger_x8(__m256d max, struct f64x8 s)
{
    return _mm256_max_pd(_mm256_max_pd(max, s.low), s.high);
}

DOWNHILL_INLINE double max_lane_x4(__m256d v)
{
    const __m128d m = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
}

DOWNHILL_INLINE __m256 exp_of_scores(struct f64x8 s, __m256d max)
{
    const __m128 low = _mm256_cvtpd_ps(_mm256_sub_pd(s.low, max));
    const __m128 high = _mm256_cvtpd_ps(_mm256_sub_pd(s.high, max));
    return exp_f32x8(0, _mm256_set_m128(high, low));
}

/* Adds four exponentials, rounded to multiples of 2⁻³⁷, to the sum z. */
DOWNHILL_INLINE __m256d plus_rounded_x4(__m256d z, __m128 e)
{
    const __m256d rounder = _mm256_set1_pd(EXP_ROUNDER);
    return _mm256_add_pd(z, _mm256_sub_pd(_mm256_add_pd(_mm256_cvtps_pd(e), rounder), rounder));
}

DOWNHILL_INLINE __m256d plus_rounded_x8(__m256d z, __m256 e)
{
    return plus_rounded_x4(plus_rounded_x4(z, _mm256_castps256_ps128(e)),
                           _mm256_extractf128_ps(e, 1));
}

DOWNHILL_INLINE double sum_lanes_x4(__m256d v)
{
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

/* Stores the first `count` of eight dscores, without the 1 of the label. */
DOWNHILL_INLINE void store_dscores(int16_t *to, size_t count, __m256 e, __m256 scale)
{
    const __m256i g = _mm256_cvtps_epi32(_mm256_mul_ps(e, scale));
    const __m128i g_i16x8 =
        _mm_packs_epi32(_mm256_castsi256_si128(g), _mm256_extracti128_si256(g, 1));
    if (count >= F32X8) {
        _mm_storeu_si128((void *)to, g_i16x8);
        return;
    }
    int16_t tail[F32X8];
    _mm_storeu_si128((void *)tail, g_i16x8);
    for (size_t l = 0; l < count; l++)
        to[l] = tail[l];
}

/* Computes the dscores of a row of at most SOFTMAX_FEW_CLASSES classes. Returns the sum of its exponentials. */
DOWNHILL_INLINE double few_classes(size_t c, size_t label, const double *s, double *max,
                                   int16_t *ds)
{
    enum { VECTORS = SOFTMAX_FEW_CLASSES / F32X8 };
    const size_t vectors = c > F32X8 ? VECTORS : 1;
    struct f64x8 scores[VECTORS];
    __m256 e[VECTORS];
    __m256d max_f64x4 = _mm256_set1_pd(-INFINITY), z = _mm256_setzero_pd();
    for (size_t v = 0; v < vectors; v++) {
        scores[v] = scores_x8(s + F32X8 * v, c - F32X8 * v);
        max_f64x4 = larger_x8(max_f64x4, scores[v]);
    }
    *max = max_lane_x4(max_f64x4);
    for (size_t v = 0; v < vectors; v++) {
        e[v] = exp_of_scores(scores[v], _mm256_set1_pd(*max));
        z = plus_rounded_x8(z, e[v]);
    }
    const double sum = sum_lanes_x4(z);
    const __m256 scale = _mm256_set1_ps((float)(DOWNHILL_SOFTMAX_ONE / sum));
    for (size_t v = 0; v < vectors; v++)
        store_dscores(ds + F32X8 * v, c - F32X8 * v, e[v], scale);
    ds[label] = (int16_t)(ds[label] - DOWNHILL_SOFTMAX_ONE);
    return sum;
}

/* Computes the dscores of a row of any number of classes. Returns the sum of its exponentials. */
DOWNHILL_INLINE double any_classes(size_t c, size_t label, const double *s, double *max,
                                   int16_t *ds)
{
    float kept[SOFTMAX_KEPT];
    __m256d max_f64x4 = _mm256_set1_pd(-INFINITY), z = _mm256_setzero_pd();
    for (size_t j = 0; j < c; j += F32X8)
        max_f64x4 = larger_x8(max_f64x4, scores_x8(s + j, c - j));
    *max = max_lane_x4(max_f64x4);
    max_f64x4 = _mm256_set1_pd(*max);
    for (size_t j = 0; j < c; j += F32X8) {
        const __m256 e = exp_of_scores(scores_x8(s + j, c - j), max_f64x4);
        if (j < SOFTMAX_KEPT)
            _mm256_storeu_ps(kept + j, e);
        z = plus_rounded_x8(z, e);
    }
    const double sum = sum_lanes_x4(z);
    const __m256 scale = _mm256_set1_ps((float)(DOWNHILL_SOFTMAX_ONE / sum));
    for (size_t j = 0; j < c; j += F32X8) {
        const __m256 e = j < SOFTMAX_KEPT ? _mm256_loadu_ps(kept + j)
                                          : exp_of_scores(scores_x8(s + j, c - j), max_f64x4);
        store_dscores(ds + j, c - j, e, scale);
    }
    ds[label] = (int16_t)(ds[label] - DOWNHILL_SOFTMAX_ONE);
    return sum;
}

#include "softmax/softmax_u8_rows.h"
