/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss with AVX2: the classes along the lanes. There are no mask registers, so the
 * lanes past c and the label's lane are cleared with vector masks before the loss and the dscores
 * see them; the label's dscore is stored over the zero afterwards. */
#include "avx2.h"
#include "kernels.h"

double downhill_hinge_f32_avx2(size_t n, size_t c, const float *scores, size_t lds,
                               const int32_t *y, float delta, float *dscores, size_t ldds)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 delta_f32x8 = _mm256_set1_ps(delta);
    const __m256 one_f32x8 = _mm256_set1_ps(1.0f);
    __m256 loss_f32x8 = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        const int32_t label = y[i];
        const __m256 s_label_f32x8 = _mm256_set1_ps(s[label]);
        int violated_count = 0;
        /* Classes from each lane to the end, and to the label. */
        __m256i left = _mm256_sub_epi32(_mm256_set1_epi32((int32_t)c), lane);
        __m256i to_label = _mm256_sub_epi32(_mm256_set1_epi32(label), lane);
        for (size_t j = 0; j < c; j += F32X8) {
            const __m256i lanes = _mm256_cmpgt_epi32(left, _mm256_setzero_si256());
            const __m256i is_label = _mm256_cmpeq_epi32(to_label, _mm256_setzero_si256());
            const __m256 others = _mm256_castsi256_ps(_mm256_andnot_si256(is_label, lanes));
            const __m256 margin_f32x8 = _mm256_add_ps(
                _mm256_sub_ps(_mm256_maskload_ps(s + j, lanes), s_label_f32x8), delta_f32x8);
            /* Not "greater than": a NaN must reach the loss. */
            const __m256 violated = _mm256_and_ps(
                others, _mm256_cmp_ps(margin_f32x8, _mm256_setzero_ps(), _CMP_NLE_UQ));
            loss_f32x8 = _mm256_add_ps(loss_f32x8, _mm256_and_ps(violated, margin_f32x8));
            store_some_x8(ds + j, c - j, _mm256_and_ps(violated, one_f32x8));
            violated_count += __builtin_popcount((unsigned)_mm256_movemask_ps(violated));
            left = _mm256_sub_epi32(left, _mm256_set1_epi32(F32X8));
            to_label = _mm256_sub_epi32(to_label, _mm256_set1_epi32(F32X8));
        }
        ds[label] = (float)-violated_count;
    }
    return (double)sum_lanes_x8(loss_f32x8);
}
