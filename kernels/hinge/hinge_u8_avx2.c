/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss of exact scores with AVX2, with the classes along the lanes, four at a time. Masks clear the
 * lanes past c and the label's lane. With more classes than WHOLE_MIN most vectors have neither, and are taken four
 * at a time without masks. */
#define DOWNHILL_LEVEL_NAME avx2
#include "hinge/hinge_u8.h"
#include "simd/avx2.h"

enum { F64X4 = 4, VECTORS = GROUP / F64X4 };

/* Values that all classes of a sample share. */
struct sample_f64x4 {
    __m256d s_label, margin;
};

/* Adds the losses of four classes to the units, and returns a mask of those of `others` that violate the margin. */
DOWNHILL_INLINE __m256d violated_x4(const struct sample_f64x4 *sample, __m256d others,
                                    __m256d scores, __m256d *units)
{
    const __m256d violation = _mm256_add_pd(_mm256_sub_pd(scores, sample->s_label), sample->margin);
    /* "Not less than or equal" is true for NaN, which must reach the loss. */
    const __m256d violated =
        _mm256_and_pd(others, _mm256_cmp_pd(violation, _mm256_setzero_pd(), _CMP_NLE_UQ));
    const __m256d rounder = _mm256_set1_pd(ROUNDER);
    const __m256d rounded = _mm256_sub_pd(
        _mm256_add_pd(_mm256_mul_pd(violation, _mm256_set1_pd(UNITS_OF_LOSS)), rounder), rounder);
    *units = _mm256_add_pd(*units, _mm256_and_pd(violated, rounded));
    return violated;
}

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

/* Computes classes j … end - 1, of which one may be the label. Returns how many violate the margin. */
DOWNHILL_INLINE int some_classes(const struct sample_f64x4 *sample, size_t j, size_t end,
                                 size_t label, const double *s, int16_t *ds, __m256d *units)
{
    const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3), four = _mm256_set1_epi64x(F64X4);
    __m256i left = _mm256_sub_epi64(_mm256_set1_epi64x((int64_t)(end - j)), lane);
    __m256i to_label = _mm256_sub_epi64(_mm256_set1_epi64x((int64_t)label - (int64_t)j), lane);
    int count = 0;
    for (; j < end; j += F64X4) {
        const __m256i lanes = _mm256_cmpgt_epi64(left, _mm256_setzero_si256());
        const __m256i is_label = _mm256_cmpeq_epi64(to_label, _mm256_setzero_si256());
        const __m256d others = _mm256_castsi256_pd(_mm256_andnot_si256(is_label, lanes));
        const __m256d violated =
            violated_x4(sample, others, _mm256_maskload_pd(s + j, lanes), units);
        store_violated(ds + j, end - j, violated);
        count += __builtin_popcount((unsigned)_mm256_movemask_pd(violated));
        left = _mm256_sub_epi64(left, four);
        to_label = _mm256_sub_epi64(to_label, four);
    }
    return count;
}

/* Computes classes j … end - 1, whole groups without the label. Returns how many violate the margin. */
DOWNHILL_INLINE int other_classes(const struct sample_f64x4 *sample, size_t j, size_t end,
                                  const double *s, int16_t *ds, __m256d *units)
{
    const __m256d all = _mm256_castsi256_pd(_mm256_set1_epi64x(-1));
    /* VPACKSSDW works within each 128-bit part, twice. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    int twice = 0;
    for (; j < end; j += GROUP) {
        __m256i violated[VECTORS];
        DOWNHILL_UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            violated[v] = _mm256_castpd_si256(
                violated_x4(sample, all, _mm256_loadu_pd(s + j + F64X4 * v), units + v));
        const __m256i packed = _mm256_packs_epi32(_mm256_packs_epi32(violated[0], violated[1]),
                                                  _mm256_packs_epi32(violated[2], violated[3]));
        twice += __builtin_popcount((unsigned)_mm256_movemask_epi8(packed));
        _mm256_storeu_si256((void *)(ds + j),
                            _mm256_srli_epi16(_mm256_permutevar8x32_epi32(packed, order), 15));
    }
    return twice / 2;
}

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_u8)(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    __m256d units[VECTORS];
    for (size_t v = 0; v < VECTORS; v++)
        units[v] = _mm256_setzero_pd();
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const size_t label = (size_t)y[i];
        const struct sample_f64x4 sample = {_mm256_set1_pd(s[label]), _mm256_set1_pd(margin)};
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
    const __m256d sum =
        _mm256_add_pd(_mm256_add_pd(units[0], units[1]), _mm256_add_pd(units[2], units[3]));
    const __m128d halves = _mm_add_pd(_mm256_castpd256_pd128(sum), _mm256_extractf128_pd(sum, 1));
    return _mm_cvtsd_f64(_mm_add_sd(halves, _mm_unpackhi_pd(halves, halves)));
}
