/* SPDX-License-Identifier: MIT */
#include "reference_u8.h"

#include "downhill.h"

#include <math.h>
#include <stdbool.h>

void reference_fix(size_t d, size_t c, const float *w, const float *b, const uint16_t *mean,
                   reference_fixed *fixed)
{
    for (size_t j = 0; j < c; j++) {
        const float *wj = w + j * d, bj = b != NULL ? b[j] : 0.0f;
        double most = 0.0;
        bool finite = isfinite(bj);
        for (size_t k = 0; k < d; k++) {
            finite = finite && isfinite(wj[k]);
            most = fmax(most, fabs((double)wj[k]));
        }
        double unit = 0x1p-126;
        while (finite && (most > 32639.0 * unit || fabs((double)bj) >= 0x1p40 * unit))
            unit *= 2.0;
        fixed->unit[j] = finite ? unit : (double)NAN;
        /* Every quotient is exact, and every sum is below 2⁵³. */
        fixed->offset[j] = finite ? llrint((double)bj / unit * 256.0) : 0;
        for (size_t k = 0; k < d; k++) {
            fixed->q[j * d + k] = finite ? (int32_t)lrint((double)wj[k] / unit) : 0;
            if (mean != NULL)
                fixed->offset[j] -= (int64_t)fixed->q[j * d + k] * mean[k];
        }
    }
}

void reference_score_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                        const reference_fixed *fixed, double *scores)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            int64_t sum = 0;
            for (size_t k = 0; k < d; k++)
                sum += (int64_t)fixed->q[j * d + k] * x[i][k];
            scores[i * c + j] = (double)(256 * sum + fixed->offset[j]) * (fixed->unit[j] / 256.0);
        }
}

/* Rounds to a multiple of DOWNHILL_LOSS_UNIT. From 2³¹ on the result is what adding and subtracting
 * 1.5·2⁵² units gives. */
static double rounded(double margin)
{
    const double units = margin / DOWNHILL_LOSS_UNIT;
    volatile double sum = units + 0x1.8p52;
    return (units < 0x1p51 ? nearbyint(units) : sum - 0x1.8p52) * DOWNHILL_LOSS_UNIT;
}

double reference_hinge_u8(size_t n, size_t c, const double *scores, const int32_t *y, double delta,
                          int16_t *dscores)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        int16_t count = 0;
        for (size_t j = 0; j < c; j++) {
            const double difference = scores[i * c + j] - scores[i * c + (size_t)y[i]];
            const double margin = difference + delta;
            const bool violated = j != (size_t)y[i] && !(margin <= 0.0);
            dscores[i * c + j] = violated;
            count = (int16_t)(count + violated);
            if (violated)
                loss += rounded(margin);
        }
        dscores[i * c + (size_t)y[i]] = (int16_t)-count;
    }
    return loss;
}

void reference_grad_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                       const int16_t *dscores, int32_t *sums, int32_t *sums_b)
{
    for (size_t j = 0; j < c; j++)
        for (size_t i = 0; i < n; i++) {
            const int32_t g = dscores[i * c + j];
            sums_b[j] += g;
            for (size_t k = 0; g != 0 && k < d; k++) /* modulo 2³² */
                sums[j * d + k] = (int32_t)((uint32_t)sums[j * d + k] + (uint32_t)(g * x[i][k]));
        }
}

void reference_update_u8(size_t d, size_t c, float *w, float *b, const int32_t *sums,
                         const int32_t *sums_b, const uint16_t *mean, const float *scale,
                         float decay, float step)
{
    for (size_t j = 0; j < c; j++) {
        const float sum = (float)sums_b[j];
        for (size_t k = 0; k < d; k++) {
            const float shift = (mean != NULL ? (float)mean[k] / 256.0f : 0.0f) * sum;
            const float centered = (float)sums[j * d + k] - shift;
            const float gain = scale != NULL ? scale[k] * scale[k] : 1.0f;
            const float rate = step * gain;
            const float decayed = decay * w[j * d + k], move = rate * centered;
            w[j * d + k] = decayed - move;
        }
        if (b != NULL) {
            const float move = step * sum;
            b[j] = b[j] - move;
        }
    }
}
