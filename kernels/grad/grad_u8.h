/* SPDX-License-Identifier: MIT
 *
 * What the gradients of bytes share: a single sample, and dscores that are too large for the
 * instruction of a level. Plain loops, which the compiler vectorises at the level's flags. */
#ifndef DOWNHILL_GRAD_U8_H
#define DOWNHILL_GRAD_U8_H

#include "kernels.h"

/* One sample has nothing to be summed with: it is bound by the stores. */
DOWNHILL_INLINE void one_sample(size_t d, size_t c, const uint8_t *restrict x, const int16_t *g,
                                unsigned flags, int32_t *dw, size_t lddw)
{
    for (size_t j = 0; j < c; j++) {
        int32_t *restrict dwj = dw + j * lddw;
        const int32_t gj = g[j];
        if (flags & GRAD_ACCUMULATE)
            for (size_t k = 0; k < d; k++)
                dwj[k] += gj * x[k];
        else
            for (size_t k = 0; k < d; k++)
                dwj[k] = gj * x[k];
    }
}

/* dw += g·x for the dscores beyond [-most, most], one by one. The hinge loss has at most one in a
 * sample, at its label, and only where there are more classes than that. */
DOWNHILL_INLINE void add_outliers(const int most, size_t n, size_t d, size_t c,
                                  const void *const *x, downhill_dscores dscores, int32_t *dw,
                                  size_t lddw)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const int32_t g = dscores[i][j];
            const uint8_t *restrict xi = x[i];
            int32_t *restrict dwj = dw + j * lddw;
            for (size_t k = 0; (g > most || g < -most) && k < d; k++)
                dwj[k] += g * xi[k];
        }
}

#endif
