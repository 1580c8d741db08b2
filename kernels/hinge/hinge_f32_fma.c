/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss in the fixed order of sums: the loss of class j of a row is added to sum j modulo 16. */
#define DOWNHILL_LEVEL_NAME fma
#include "simd/fixed_order.h"

DOWNHILL_TARGET
double DOWNHILL_NAME(hinge_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float margin, float *dscores, size_t ldds)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds, sum[CLASS_LANES] = {0};
        const size_t label = (size_t)y[i];
        const float s_label = s[label];
        int32_t violated_count = 0;
        for (size_t j = 0; j < c; j++) {
            const float violation = (s[j] - s_label) + margin;
            /* Not `violation > 0`: a NaN must reach the loss. */
            const int violated = j != label && !(violation <= 0.0f);
            if (violated)
                sum[j % CLASS_LANES] += violation;
            ds[j] = violated ? 1.0f : 0.0f;
            violated_count += violated;
        }
        ds[label] = (float)-violated_count;
        loss += (double)fold(CLASS_LANES, sum);
    }
    return loss;
}
