/* SPDX-License-Identifier: MIT
 *
 * Gradient in the fixed order of sums: each element of dW is one chain of FMAs over the samples. Four rows of X are added
 * per pass over a row of dW. */
#define DOWNHILL_LEVEL_NAME fma
#include "simd/fixed_order.h"

enum { ROWS = 4 };

/* Adds `rows` samples to one class. */
DOWNHILL_INLINE void add_rows(const enum element element, const size_t rows, size_t d,
                              const void *const *x, const float *g, size_t ldg, float *restrict dw)
{
    for (size_t k = 0; k < d; k++) {
        float sum = dw[k];
        for (size_t r = 0; r < rows; r++)
            sum = fmaf(g[r * ldg], feature(element, x[r], k), sum);
        dw[k] = sum;
    }
}

DOWNHILL_INLINE void grad(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw)
{
    for (size_t j = 0; j < c; j++) {
        float *dwj = dw + j * lddw;
        if (!(flags & GRAD_ACCUMULATE))
            memset(dwj, 0, d * sizeof *dwj);
        size_t i = 0;
        for (; i + ROWS <= n; i += ROWS)
            add_rows(element, ROWS, d, x + i, dscores + i * ldds + j, ldds, dwj);
        for (; i < n; i++)
            add_rows(element, 1, d, x + i, dscores + i * ldds + j, ldds, dwj);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const void *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct prefetch *prefetch)
{
    (void)prefetch;
    grad(ELEMENT_F32, n, d, c, x, dscores, ldds, flags, dw, lddw);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    (void)prefetch;
    grad(ELEMENT_BF16, n, d, c, x, dscores, ldds, flags, dw, lddw);
}
