/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss of exact scores with AVX-512, with the classes along the lanes, as in hinge_f32_avx512.c. */
#define DOWNHILL_LEVEL_NAME avx512
#include "hinge/hinge_u8.h"
#include "simd/avx512.h"

enum { F64X8 = 8 };

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_u8)(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    const __m512d margin_f64x8 = _mm512_set1_pd(margin);
    const __m512d units_of_loss = _mm512_set1_pd(UNITS_OF_LOSS);
    const __m512d rounder = _mm512_set1_pd(ROUNDER);
    __m512d units_f64x8 = _mm512_setzero_pd();
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const size_t label = (size_t)y[i];
        const __m512d s_label_f64x8 = _mm512_set1_pd(s[label]);
        int violated_count = 0;
        for (size_t j = 0; j < c; j += F64X8) {
            const __mmask8 lanes = (__mmask8)first_lanes_x16(c - j);
            const size_t label_lane = label - j; /* wraps to a large number if label < j */
            const __mmask8 others =
                (__mmask8)(label_lane < F64X8 ? lanes & ~(1u << label_lane) : lanes);
            const __m512d violation_f64x8 = _mm512_add_pd(
                _mm512_sub_pd(_mm512_maskz_loadu_pd(lanes, s + j), s_label_f64x8), margin_f64x8);
            /* Not those that are met: NaN is neither, and must reach the loss. */
            const __mmask16 met = opaque_mask(
                _mm512_mask_cmp_pd_mask(others, violation_f64x8, _mm512_setzero_pd(), _CMP_LE_OQ));
            const __mmask8 violated = (__mmask8)(others & ~met);
            const __m512d rounded_f64x8 = _mm512_sub_pd(
                _mm512_add_pd(_mm512_mul_pd(violation_f64x8, units_of_loss), rounder), rounder);
            units_f64x8 = _mm512_mask_add_pd(units_f64x8, violated, units_f64x8, rounded_f64x8);
            _mm_mask_storeu_epi16(ds + j, lanes, _mm_maskz_set1_epi16(violated, 1));
            violated_count += __builtin_popcount(violated);
        }
        ds[label] = (int16_t)-violated_count;
    }
    return _mm512_reduce_add_pd(units_f64x8);
}
