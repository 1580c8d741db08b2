/* SPDX-License-Identifier: MIT
 *
 * Entry point of the gradient of the bias, for the sources that define LANES, VECTORS_MAX and add_samples(). */
#ifndef DOWNHILL_GRAD_BIAS_H
#define DOWNHILL_GRAD_BIAS_H

#include "isa/kernels.h"

/* Takes up to LANES · VECTORS_MAX classes at a time, with one loop per number of vectors, so that their sums stay in registers. */
DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bias_f32)(size_t n, size_t c, const float *dscores, size_t ldds, float *db)
{
    for (size_t j = 0; j < c; j += LANES * VECTORS_MAX) {
        const size_t left = c - j, all = (left + LANES - 1) / LANES,
                     vectors = all < VECTORS_MAX ? all : VECTORS_MAX,
                     count = left - LANES * (vectors - 1);
        switch (vectors) {
        case 1:
            add_samples(1, count, n, dscores + j, ldds, db + j);
            break;
        case 2:
            add_samples(2, count, n, dscores + j, ldds, db + j);
            break;
        case 3:
            add_samples(3, count, n, dscores + j, ldds, db + j);
            break;
        case 4:
            add_samples(4, count, n, dscores + j, ldds, db + j);
            break;
        case 5:
            add_samples(5, count, n, dscores + j, ldds, db + j);
            break;
        case 6:
            add_samples(6, count, n, dscores + j, ldds, db + j);
            break;
        case 7:
            add_samples(7, count, n, dscores + j, ldds, db + j);
            break;
        default:
            add_samples(8, count, n, dscores + j, ldds, db + j);
            break;
        }
    }
}

#endif
