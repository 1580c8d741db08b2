/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss with AVX2, with the classes along the lanes. Only the last vector of a row has unused lanes.
 * The label's lane is cleared before it reaches the loss and the dscores. The dscore of the label is stored over that
 * zero afterwards.
 *
 * Eight classes take twelve instructions, two of which use the memory ports. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

/* Returns all ones in lanes with a violated margin, except the label's lane. */
DOWNHILL_INLINE __m256 violated_x8(__m256 violation, __m256i to_label)
{
    const __m256i is_label = _mm256_cmpeq_epi32(to_label, _mm256_setzero_si256());
    /* "Not less than or equal" is true for NaN, which must reach the loss. */
    return _mm256_andnot_ps(_mm256_castsi256_ps(is_label),
                            _mm256_cmp_ps(violation, _mm256_setzero_ps(), _CMP_NLE_UQ));
}

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float margin, float *dscores, size_t ldds)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 margin_f32x8 = _mm256_set1_ps(margin);
    const __m256 one_f32x8 = _mm256_set1_ps(1.0f);
    const size_t vector_end = c / F32X8 * F32X8;
    const __m256i lanes = first_lanes_x8(c - vector_end);
    __m256 loss_f32x8 = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        const __m256 s_label_f32x8 = _mm256_set1_ps(s[y[i]]);
        /* to_label is the distance from the class of each lane to the label. minus_count is minus the number of
         * violated margins per lane. */
        __m256i to_label = _mm256_sub_epi32(_mm256_set1_epi32(y[i]), lane);
        __m256i minus_count = _mm256_setzero_si256();
        for (size_t j = 0; j < vector_end; j += F32X8) {
            const __m256 violation_f32x8 =
                _mm256_add_ps(_mm256_sub_ps(_mm256_loadu_ps(s + j), s_label_f32x8), margin_f32x8);
            const __m256 violated = violated_x8(violation_f32x8, to_label);
            loss_f32x8 = _mm256_add_ps(loss_f32x8, _mm256_and_ps(violated, violation_f32x8));
            _mm256_storeu_ps(ds + j, _mm256_and_ps(violated, one_f32x8));
            minus_count = _mm256_add_epi32(minus_count, _mm256_castps_si256(violated));
            to_label = _mm256_sub_epi32(to_label, _mm256_set1_epi32(F32X8));
        }
        if (vector_end < c) {
            const __m256 violation_f32x8 = _mm256_add_ps(
                _mm256_sub_ps(_mm256_maskload_ps(s + vector_end, lanes), s_label_f32x8),
                margin_f32x8);
            const __m256 violated =
                _mm256_and_ps(_mm256_castsi256_ps(lanes), violated_x8(violation_f32x8, to_label));
            loss_f32x8 = _mm256_add_ps(loss_f32x8, _mm256_and_ps(violated, violation_f32x8));
            store_some_x8(ds + vector_end, c - vector_end, _mm256_and_ps(violated, one_f32x8));
            minus_count = _mm256_add_epi32(minus_count, _mm256_castps_si256(violated));
        }
        ds[y[i]] = (float)sum_lanes_i32x8(minus_count);
    }
    return (double)sum_lanes_x8(loss_f32x8);
}
