/* SPDX-License-Identifier: MIT
 *
 * What the gradients of bytes share: dscores that are too large for the instruction of a level. */
#ifndef DOWNHILL_GRAD_U8_H
#define DOWNHILL_GRAD_U8_H

#include "kernels.h"

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
