/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss of exact scores: the definition. */
#include "hinge/hinge_u8.h"
#include "isa/kernels.h"

double DOWNHILL_NAME(hinge_u8)(size_t n, size_t c, const double *scores, size_t lds,
                               const int32_t *y, double margin, int16_t *dscores, size_t ldds)
{
    double units = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        const int32_t label = y[i];
        const double s_label = s[label];
        int32_t violated_count = 0;
#pragma omp simd reduction(+ : units, violated_count)
        for (int32_t j = 0; j < (int32_t)c; j++) {
            const double violation = (s[j] - s_label) + margin;
            /* Not `violation > 0`: a NaN must reach the loss. */
            const int32_t violated = (j != label) & !(violation <= 0.0);
            const double rounded = (violation * UNITS_OF_LOSS + ROUNDER) - ROUNDER;
            units += violated ? rounded : 0.0;
            ds[j] = (int16_t)violated;
            violated_count += violated;
        }
        ds[label] = (int16_t)-violated_count;
    }
    return units;
}
