/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss of exact scores with AVX2, with the classes along the lanes, four at a time. The last vector
 * uses a masked load. Masks clear the lanes past c and the label's lane. */
#define DOWNHILL_LEVEL_NAME avx2
#include "hinge/hinge_u8.h"
#include "simd/avx2.h"

enum { F64X4 = 4 };

/* Stores the first `count` of four lanes, 0 or -1 each, as 0 or 1 in 16 bits. */
DOWNHILL_INLINE void store_violated(int16_t *to, size_t count, __m256d violated)
{
    const __m256i mask = _mm256_castpd_si256(violated);
    const __m128i mask_i32x4 =
        _mm_packs_epi32(_mm256_castsi256_si128(mask), _mm256_extracti128_si256(mask, 1));
    const __m128i ones = _mm_srli_epi16(_mm_packs_epi32(mask_i32x4, mask_i32x4), 15);
    if (count >= F64X4) {
        _mm_storel_epi64((void *)to, ones);
        return;
    }
    int16_t tail[2 * F64X4];
    _mm_storeu_si128((void *)tail, ones);
    for (size_t l = 0; l < count; l++)
        to[l] = tail[l];
}

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_u8)(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256d margin_f64x4 = _mm256_set1_pd(margin);
    const __m256d units_of_loss = _mm256_set1_pd(UNITS_OF_LOSS), rounder = _mm256_set1_pd(ROUNDER);
    __m256d units_f64x4 = _mm256_setzero_pd();
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const int32_t label = y[i];
        const __m256d s_label_f64x4 = _mm256_set1_pd(s[label]);
        int violated_count = 0;
        __m256i left = _mm256_sub_epi64(_mm256_set1_epi64x((int64_t)c), lane);
        __m256i to_label = _mm256_sub_epi64(_mm256_set1_epi64x(label), lane);
        for (size_t j = 0; j < c; j += F64X4) {
            const __m256i lanes = _mm256_cmpgt_epi64(left, _mm256_setzero_si256());
            const __m256i is_label = _mm256_cmpeq_epi64(to_label, _mm256_setzero_si256());
            const __m256d others = _mm256_castsi256_pd(_mm256_andnot_si256(is_label, lanes));
            const __m256d violation_f64x4 = _mm256_add_pd(
                _mm256_sub_pd(_mm256_maskload_pd(s + j, lanes), s_label_f64x4), margin_f64x4);
            /* "Not less than or equal" is true for NaN, which must reach the loss. */
            const __m256d violated = _mm256_and_pd(
                others, _mm256_cmp_pd(violation_f64x4, _mm256_setzero_pd(), _CMP_NLE_UQ));
            const __m256d rounded_f64x4 = _mm256_sub_pd(
                _mm256_add_pd(_mm256_mul_pd(violation_f64x4, units_of_loss), rounder), rounder);
            units_f64x4 = _mm256_add_pd(units_f64x4, _mm256_and_pd(violated, rounded_f64x4));
            store_violated(ds + j, c - j, violated);
            violated_count += __builtin_popcount((unsigned)_mm256_movemask_pd(violated));
            left = _mm256_sub_epi64(left, _mm256_set1_epi64x(F64X4));
            to_label = _mm256_sub_epi64(to_label, _mm256_set1_epi64x(F64X4));
        }
        ds[label] = (int16_t)-violated_count;
    }
    const __m128d halves =
        _mm_add_pd(_mm256_castpd256_pd128(units_f64x4), _mm256_extractf128_pd(units_f64x4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(halves, _mm_unpackhi_pd(halves, halves)));
}
