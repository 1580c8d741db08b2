/* SPDX-License-Identifier: MIT
 *
 * Multiclass hinge loss: the definition. */
#include "isa/kernels.h"

double DOWNHILL_NAME(hinge_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                const int32_t *y, float margin, float *dscores, size_t ldds)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        const int32_t label = y[i];
        const float s_label = s[label];
        float row_loss = 0.0f;
        int32_t violated_count = 0;
#pragma omp simd reduction(+ : row_loss, violated_count)
        for (int32_t j = 0; j < (int32_t)c; j++) {
            const float violation = (s[j] - s_label) + margin;
            /* Not `violation > 0`: a NaN must reach the loss. */
            const int32_t violated = (j != label) & !(violation <= 0.0f);
            row_loss += violated ? violation : 0.0f;
            ds[j] = violated ? 1.0f : 0.0f;
            violated_count += violated;
        }
        ds[label] = (float)-violated_count;
        loss += (double)row_loss;
    }
    return loss;
}
