/* SPDX-License-Identifier: MIT
 *
 * Entry point of softmax of exact scores, for the sources that define few_classes() and any_classes(). */
#ifndef DOWNHILL_SOFTMAX_U8_ROWS_H
#define DOWNHILL_SOFTMAX_U8_ROWS_H

#include "softmax/softmax_u8.h"

DOWNHILL_TARGET
double DOWNHILL_NAME(softmax_u8)(size_t n, size_t c, const double *scores, size_t lds,
                                 const int32_t *y, int16_t *dscores, size_t ldds)
{
    struct losses losses;
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const size_t label = (size_t)y[i];
        double max;
        const double z = c <= SOFTMAX_FEW_CLASSES ? few_classes(c, label, s, &max, ds)
                                                  : any_classes(c, label, s, &max, ds);
        keep_sample(&losses, i, z, max - s[label], c, ds);
    }
    return units_of_block(&losses, n);
}

#endif
