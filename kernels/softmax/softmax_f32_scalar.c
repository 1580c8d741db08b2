/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy: the definition. */
#include "isa/kernels.h"
#include "softmax/exp_scalar.h"

double DOWNHILL_NAME(softmax_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float *dscores, size_t ldds)
{
    log_sum logs = {1.0, 0.0};
    double max_minus_label = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        float max = s[0];
#pragma omp simd reduction(max : max)
        for (size_t j = 0; j < c; j++)
            max = s[j] > max ? s[j] : max;

        max_minus_label += (double)max - (double)s[y[i]]; /* before writing ds, which may be s */
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < c; j++) {
            const float e = exp_scalar(0, s[j] - max);
            ds[j] = e;
            sum += e;
        }
        log_sum_add(&logs, (double)sum);

        const float scale = 1.0f / sum;
#pragma omp simd
        for (size_t j = 0; j < c; j++)
            ds[j] *= scale;
        ds[y[i]] -= 1.0f;
    }
    return max_minus_label + log_sum_total(&logs);
}
