/* SPDX-License-Identifier: MIT */
#include "reference_u8.h"

#include "downhill.h"

#include <math.h>
#include <stdbool.h>

void reference_quantise(size_t d, size_t c, const float *w, const float *b, const uint16_t *mean,
                        reference_quantised *quantised)
{
    for (size_t j = 0; j < c; j++) {
        const float *wj = w + j * d, bj = b != NULL ? b[j] : 0.0f;
        double max = 0.0;
        bool finite = isfinite(bj);
        for (size_t k = 0; k < d; k++) {
            finite = finite && isfinite(wj[k]);
            max = fmax(max, fabs((double)wj[k]));
        }
        double quantum = 0x1p-126;
        while (finite && (max > 32639.0 * quantum || fabs((double)bj) >= 0x1p40 * quantum))
            quantum *= 2.0;
        quantised->quantum[j] = finite ? quantum : (double)NAN;
        /* Every quotient is exact, and every sum is below 2⁵³. */
        quantised->offset[j] = finite ? llrint((double)bj / quantum * 256.0) : 0;
        for (size_t k = 0; k < d; k++) {
            quantised->q[j * d + k] = finite ? (int32_t)lrint((double)wj[k] / quantum) : 0;
            if (mean != NULL)
                quantised->offset[j] -= (int64_t)quantised->q[j * d + k] * mean[k];
        }
    }
}

void reference_score_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                        const reference_quantised *quantised, double *scores)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            int64_t sum = 0;
            for (size_t k = 0; k < d; k++)
                sum += (int64_t)quantised->q[j * d + k] * x[i][k];
            scores[i * c + j] =
                (double)(256 * sum + quantised->offset[j]) * (quantised->quantum[j] / 256.0);
        }
}

/* Rounds to a multiple of DOWNHILL_LOSS_UNIT. From 2³¹ on the result is what adding and subtracting
 * 1.5·2⁵² units gives. */
static double rounded(double violation)
{
    const double units = violation / DOWNHILL_LOSS_UNIT;
    volatile double sum = units + 0x1.8p52;
    return (units < 0x1p51 ? nearbyint(units) : sum - 0x1.8p52) * DOWNHILL_LOSS_UNIT;
}

double reference_hinge_u8(size_t n, size_t c, const double *scores, const int32_t *y, double margin,
                          int16_t *dscores)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        int16_t count = 0;
        for (size_t j = 0; j < c; j++) {
            const double difference = scores[i * c + j] - scores[i * c + (size_t)y[i]];
            const double violation = difference + margin;
            const bool violated = j != (size_t)y[i] && !(violation <= 0.0);
            dscores[i * c + j] = violated;
            count = (int16_t)(count + violated);
            if (violated)
                loss += rounded(violation);
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
