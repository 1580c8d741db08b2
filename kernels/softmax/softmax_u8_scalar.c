/* SPDX-License-Identifier: MIT
 *
 * Softmax cross-entropy of exact scores: the definition. */
#include "softmax/softmax_u8.h"

#include "softmax/exp_scalar.h"

/* Returns e^(s - max). A difference below the range of f32 must not be converted. */
static inline float exp_of_score(double s, double max)
{
    const double t = s - max;
    return exp_scalar(0, (float)(t < -128.0 ? -128.0 : t));
}

double DOWNHILL_NAME(softmax_u8)(size_t n, size_t c, const double *scores, size_t lds,
                                 const int32_t *y, int16_t *dscores, size_t ldds)
{
    struct losses losses;
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * lds;
        int16_t *ds = dscores + i * ldds;
        double max = s[0];
#pragma omp simd reduction(max : max)
        for (size_t j = 0; j < c; j++)
            max = s[j] > max ? s[j] : max;
        double z = 0.0;
#pragma omp simd reduction(+ : z)
        for (size_t j = 0; j < c; j++)
            z += ((double)exp_of_score(s[j], max) + EXP_ROUNDER) - EXP_ROUNDER;
        if (z == 0.0) /* nothing but -∞: OpenMP starts a maximum at the lowest finite number */
            z = (double)NAN;
        const float scale = (float)(DOWNHILL_SOFTMAX_ONE / z);
#pragma omp simd
        for (size_t j = 0; j < c; j++) {
            float scaled = exp_of_score(s[j], max) * scale;
            DOWNHILL_ROUND(scaled);
            /* Adding 1.5·2²³ leaves the rounded integer in the low bits, even those of a NaN may be stored. */
            ds[j] = (int16_t)bits_of_float(scaled + 0x1.8p23f);
        }
        ds[y[i]] = (int16_t)(ds[y[i]] - DOWNHILL_SOFTMAX_ONE);
        keep_sample(&losses, i, z, max - s[y[i]], c, ds);
    }
    return units_of_block(&losses, n);
}
