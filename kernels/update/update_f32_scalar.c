/* SPDX-License-Identifier: MIT
 *
 * Weight update with decay: the definition. Three roundings, in this order, on every ISA level. */
#include "isa/kernels.h"

void DOWNHILL_NAME(update_f32)(size_t count, float decay, float step, const float *restrict g,
                               float *restrict w)
{
#pragma omp simd
    for (size_t k = 0; k < count; k++) {
        float decayed = decay * w[k], move = step * g[k];
        DOWNHILL_ROUND(decayed);
        DOWNHILL_ROUND(move);
        w[k] = decayed - move;
    }
}
