/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss with AVX2, with the classes along the lanes. Only the last vector of a row has unused lanes.
 * The label's lane is cleared before it reaches the loss and the dscores. The dscore of the label is stored over that
 * zero afterwards.
 *
 * Eight classes take twelve instructions, two of which use the memory ports, and the end of a row another twelve. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

/* A row of scores: the label and the sums. Class j is added to sum j mod 16 as with AVX-512, so that the loss has the
 * same bits: two vectors of sums take turns. */
struct row {
    __m256 s_label, margin;
    __m256i to_label; /* distance from the class of each lane to the label */
    __m256 loss, other_loss;
    __m256i minus_count; /* minus the number of violated margins per lane */
};

/* Returns by how much the next 8 classes violate the margin. */
DOWNHILL_INLINE __m256 violation_x8(const struct row *row, __m256 s)
{
    return _mm256_add_ps(_mm256_sub_ps(s, row->s_label), row->margin);
}

/* Returns all ones in lanes with a violated margin, except the label's lane. */
DOWNHILL_INLINE __m256 violated_x8(const struct row *row, __m256 violation)
{
    const __m256i is_label = _mm256_cmpeq_epi32(row->to_label, _mm256_setzero_si256());
    /* "Not less than or equal" is true for NaN, which must reach the loss. */
    return _mm256_andnot_ps(_mm256_castsi256_ps(is_label),
                            _mm256_cmp_ps(violation, _mm256_setzero_ps(), _CMP_NLE_UQ));
}

/* Adds 8 classes to the row and returns their dscores, with 0 for the label. */
DOWNHILL_INLINE __m256 add_x8(struct row *row, __m256 violated, __m256 violation)
{
    const __m256 loss = _mm256_add_ps(row->loss, _mm256_and_ps(violated, violation));
    row->loss = row->other_loss;
    row->other_loss = loss;
    row->minus_count = _mm256_add_epi32(row->minus_count, _mm256_castps_si256(violated));
    row->to_label = _mm256_sub_epi32(row->to_label, _mm256_set1_epi32(F32X8));
    return _mm256_and_ps(violated, _mm256_set1_ps(1.0f));
}

/* Returns the horizontal sums of two vectors in lanes 0 and 1, with the bits of sum_lanes_x8(). */
DOWNHILL_INLINE __m128 sum_lanes_2(__m256 a, __m256 b)
{
    __m256 s = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, _MM_SHUFFLE(3, 2, 3, 2)));
    return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float margin, float *dscores, size_t ldds)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const size_t vector_end = c / F32X8 * F32X8, tail = c - vector_end;
    const __m256i lanes = first_lanes_x8(tail);
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        struct row row = {.s_label = _mm256_set1_ps(s[y[i]]),
                          .margin = _mm256_set1_ps(margin),
                          .to_label = _mm256_sub_epi32(_mm256_set1_epi32(y[i]), lane),
                          .loss = _mm256_setzero_ps(),
                          .other_loss = _mm256_setzero_ps(),
                          .minus_count = _mm256_setzero_si256()};
        DOWNHILL_UNROLL_2
        for (size_t j = 0; j < vector_end; j += F32X8) {
            const __m256 violation = violation_x8(&row, _mm256_loadu_ps(s + j));
            _mm256_storeu_ps(ds + j, add_x8(&row, violated_x8(&row, violation), violation));
        }
        if (tail > 0) {
            const __m256 violation = violation_x8(&row, _mm256_maskload_ps(s + vector_end, lanes)),
                         violated = _mm256_and_ps(_mm256_castsi256_ps(lanes),
                                                  violated_x8(&row, violation));
            store_some_x8(ds + vector_end, tail, add_x8(&row, violated, violation));
        }
        const __m128 loss_minus_count = sum_lanes_2(_mm256_add_ps(row.loss, row.other_loss),
                                                    _mm256_cvtepi32_ps(row.minus_count));
        loss += (double)_mm_cvtss_f32(loss_minus_count);
        ds[y[i]] = _mm_cvtss_f32(_mm_movehdup_ps(loss_minus_count));
    }
    return loss;
}
