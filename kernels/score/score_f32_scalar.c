/* SPDX-License-Identifier: MIT
 *
 * Scores: the definition. One dot product per sample and class. */
#include "isa/kernels.h"
#include "simd/portable.h"

DOWNHILL_INLINE void score(enum element element, size_t n, size_t d, size_t c, const void *const *x,
                           const float *w, size_t ldw, struct scores scores)
{
    for (size_t i = 0; i < n; i++) {
        const void *xi = x[i];
        for (size_t j = 0; j < c; j++) {
            const float *wj = w + j * ldw;
            float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
            for (size_t k = 0; k < d; k++)
                sum += feature(element, xi, k) * wj[k];
            const struct scores s = scores_at(scores, i, j);
            *s.to = *s.from + sum;
        }
    }
}

void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    (void)prefetch;
    score(ELEMENT_F32, n, d, c, x, w, ldw, *scores);
}

void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    (void)prefetch;
    score(ELEMENT_BF16, n, d, c, x, w, ldw, *scores);
}
