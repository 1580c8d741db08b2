/* SPDX-License-Identifier: MIT
 *
 * Gradient of the bias: the definition. Each sum is stored and reloaded once per 8 rows, which takes as long as two
 * additions. */
#include "isa/kernels.h"

void DOWNHILL_NAME(grad_bias_f32)(size_t n, size_t c, const float *dscores, size_t ldds,
                                  float *restrict db)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8, dscores += 8 * ldds)
        for (size_t j = 0; j < c; j++) {
            float sum = db[j];
            for (size_t r = 0; r < 8; r++)
                sum += dscores[r * ldds + j];
            db[j] = sum;
        }
    for (; i < n; i++, dscores += ldds)
        for (size_t j = 0; j < c; j++)
            db[j] += dscores[j];
}
