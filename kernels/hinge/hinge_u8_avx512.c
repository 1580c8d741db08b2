/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss of exact scores with AVX-512, with the classes along the lanes, eight at a time. Masks clear
 * the lanes past c and the label's lane. With more classes than WHOLE_MIN most vectors have neither, and are taken
 * two at a time without masks. */
#define DOWNHILL_LEVEL_NAME avx512
#include "hinge/hinge_u8.h"
#include "simd/avx512.h"

enum { F64X8 = 8 };

/* Values that all classes of a sample share. */
struct sample_f64x8 {
    __m512d s_label, margin;
};

/* Adds the losses of eight classes to the units, and returns those of `others` that violate the margin. */
DOWNHILL_INLINE __mmask8 violated_x8(const struct sample_f64x8 *sample, __mmask8 others,
                                     __m512d scores, __m512d *units)
{
    const __m512d violation = _mm512_add_pd(_mm512_sub_pd(scores, sample->s_label), sample->margin);
    /* A NaN is not met, so that it reaches the loss. */
    const __mmask16 met =
        opaque_mask(_mm512_mask_cmp_pd_mask(others, violation, _mm512_setzero_pd(), _CMP_LE_OQ));
    const __mmask8 violated = (__mmask8)(others & ~met);
    const __m512d rounder = _mm512_set1_pd(ROUNDER);
    const __m512d rounded = _mm512_sub_pd(
        _mm512_add_pd(_mm512_mul_pd(violation, _mm512_set1_pd(UNITS_OF_LOSS)), rounder), rounder);
    *units = _mm512_mask_add_pd(*units, violated, *units, rounded);
    return violated;
}

/* Computes classes j … end - 1, of which one may be the label. Returns how many violate the margin. */
DOWNHILL_INLINE int some_classes(const struct sample_f64x8 *sample, size_t j, size_t end,
                                 size_t label, const double *s, int16_t *ds, __m512d *units)
{
    int count = 0;
    for (; j < end; j += F64X8) {
        const __mmask8 lanes = (__mmask8)first_lanes_x16(end - j);
        const size_t label_lane = label - j; /* wraps to a large number if label < j */
        const __mmask8 others =
            (__mmask8)(label_lane < F64X8 ? lanes & ~(1u << label_lane) : lanes);
        const __mmask8 violated =
            violated_x8(sample, others, _mm512_maskz_loadu_pd(lanes, s + j), units);
        _mm_mask_storeu_epi16(ds + j, lanes, _mm_maskz_set1_epi16(violated, 1));
        count += __builtin_popcount(violated);
    }
    return count;
}

/* Computes classes j … end - 1, whole groups without the label. Returns how many violate the margin. */
DOWNHILL_INLINE int other_classes(const struct sample_f64x8 *sample, size_t j, size_t end,
                                  const double *s, int16_t *ds, __m512d *units)
{
    int count = 0;
    for (; j < end; j += GROUP) {
        const unsigned lower = violated_x8(sample, 0xFF, _mm512_loadu_pd(s + j), &units[0]);
        const unsigned upper = violated_x8(sample, 0xFF, _mm512_loadu_pd(s + j + F64X8), &units[1]);
        const unsigned violated = lower | upper << F64X8;
        _mm256_storeu_si256((void *)(ds + j), _mm256_maskz_set1_epi16((__mmask16)violated, 1));
        count += __builtin_popcount(violated);
    }
    return count;
}

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_u8)(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    __m512d units[2] = {_mm512_setzero_pd(), _mm512_setzero_pd()};
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const size_t label = (size_t)y[i];
        const struct sample_f64x8 sample = {_mm512_set1_pd(s[label]), _mm512_set1_pd(margin)};
        int violated_count;
        if (c <= WHOLE_MIN) { /* dividing ten classes would take a fifth of their time */
            violated_count = some_classes(&sample, 0, c, label, s, ds, units);
        } else {
            const struct row_parts parts = parts_of_row(c, label);
            violated_count = other_classes(&sample, 0, parts.before, s, ds, units);
            violated_count += some_classes(&sample, parts.before, parts.label, label, s, ds, units);
            violated_count += other_classes(&sample, parts.label, parts.after, s, ds, units);
            violated_count += some_classes(&sample, parts.after, c, label, s, ds, units);
        }
        ds[label] = (int16_t)-violated_count;
    }
    return _mm512_reduce_add_pd(_mm512_add_pd(units[0], units[1]));
}
