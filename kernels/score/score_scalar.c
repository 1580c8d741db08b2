/* SPDX-License-Identifier: MIT
 *
 * Scores, the definition: one dot product per sample and class. */
#include "kernels.h"

void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const float *const *x, const float *w,
                              size_t ldw, float *scores, size_t lds, struct downhill_ahead *ahead)
{
    (void)ahead;
    for (size_t i = 0; i < n; i++) {
        const float *xi = x[i];
        for (size_t j = 0; j < c; j++) {
            const float *wj = w + j * ldw;
            float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
            for (size_t k = 0; k < d; k++)
                sum += xi[k] * wj[k];
            scores[i * lds + j] += sum;
        }
    }
}
