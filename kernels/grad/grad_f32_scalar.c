/* SPDX-License-Identifier: MIT
 *
 * Gradient: the definition. One row of X is scaled and added per sample and class. */
#include "isa/kernels.h"
#include "simd/portable.h"

DOWNHILL_INLINE void grad(enum element element, size_t n, size_t d, size_t c, const void *const *x,
                          const float *dscores, size_t ldds, unsigned flags, float *dw, size_t lddw)
{
    for (size_t j = 0; !(flags & GRAD_ACCUMULATE) && j < c; j++)
        memset(dw + j * lddw, 0, d * sizeof *dw);
    for (size_t i = 0; i < n; i++) {
        const void *restrict xi = x[i];
        for (size_t j = 0; j < c; j++) {
            const float g = dscores[i * ldds + j];
            float *restrict dwj = dw + j * lddw;
#pragma omp simd
            for (size_t k = 0; k < d; k++)
                dwj[k] += g * feature(element, xi, k);
        }
    }
}

void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const void *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct prefetch *prefetch)
{
    (void)prefetch;
    grad(ELEMENT_F32, n, d, c, x, dscores, ldds, flags, dw, lddw);
}

void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    (void)prefetch;
    grad(ELEMENT_BF16, n, d, c, x, dscores, ldds, flags, dw, lddw);
}
