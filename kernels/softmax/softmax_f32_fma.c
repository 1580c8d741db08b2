/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy in the fixed order of sums: the exponential of class j is added to sum j modulo 16. */
#define DOWNHILL_LEVEL_NAME fma
#include "simd/fixed_order.h"
#include "softmax/exp_scalar.h"

DOWNHILL_TARGET
double DOWNHILL_NAME(softmax_f32)(size_t n, size_t c, const float *scores, size_t lds,
                                  const int32_t *y, float *dscores, size_t ldds)
{
    log_sum logs = {1.0, 0.0};
    double max_minus_label = 0.0;
    for (size_t i = 0; i < n; i++) {
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds, max = s[0], sums[CLASS_LANES] = {0};
        for (size_t j = 0; j < c; j++)
            max = s[j] > max ? s[j] : max;
        max_minus_label += (double)max - (double)s[y[i]]; /* before writing ds, which may be s */
        for (size_t j = 0; j < c; j++) {
            ds[j] = exp_scalar(1, s[j] - max);
            sums[j % CLASS_LANES] += ds[j];
        }
        const float sum = fold(CLASS_LANES, sums), scale = 1.0f / sum;
        log_sum_add(&logs, (double)sum);
        for (size_t j = 0; j < c; j++)
            ds[j] *= scale;
        ds[y[i]] -= 1.0f;
    }
    return max_minus_label + log_sum_total(&logs);
}
