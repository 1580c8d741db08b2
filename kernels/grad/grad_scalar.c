/* SPDX-License-Identifier: MIT
 *
 * Gradient, the definition: one row of X scaled and added per sample and class. */
#include "kernels.h"

#include <string.h>

void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const float *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct downhill_ahead *ahead)
{
    (void)ahead;
    for (size_t j = 0; !(flags & GRAD_ACCUMULATE) && j < c; j++)
        memset(dw + j * lddw, 0, d * sizeof *dw);
    for (size_t i = 0; i < n; i++) {
        const float *restrict xi = x[i];
        for (size_t j = 0; j < c; j++) {
            const float g = dscores[i * ldds + j];
            float *restrict dwj = dw + j * lddw;
#pragma omp simd
            for (size_t k = 0; k < d; k++)
                dwj[k] += g * xi[k];
        }
    }
}
