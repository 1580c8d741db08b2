/* SPDX-License-Identifier: MIT */
#include "reference_u8.h"

#include "downhill.h"

#include <math.h>
#include <string.h>

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

/* ---- softmax: each operation on f32 is computed in f64 and rounded once more, which gives the
 * correctly rounded result of a sum or product ---- */

static float product_f32(float a, float b)
{
    return (float)((double)a * (double)b);
}

static float sum_f32(float a, float b)
{
    return (float)((double)a + (double)b);
}

/* Returns e^(s - max) as the library defines it, 0 where it would be subnormal. */
static float exp_of_difference(double s, double max)
{
    static const float coefficients[] = {0x1.6a239ep-10f,
                                         0x1.123a20p-7f,
                                         0x1.5558f4p-5f,
                                         0x1.555492p-3f,
                                         0x1.fffffcp-2f,
                                         1.0f,
                                         1.0f};
    const double ln_2 = 0x1.62e42fefa39efp-1, difference = s - max;
    if (difference < -126.0 * ln_2)
        return 0.0f; /* rounding to f32 does not cross this limit */
    const float t = (float)difference;
    const float n = (float)nearbyint((double)product_f32(t, 0x1.715476p+0f));
    float r = sum_f32(t, -product_f32(n, 0x1.62e400p-1f));
    r = sum_f32(r, -product_f32(n, 0x1.7f7d1cp-20f));
    float p = coefficients[0];
    for (size_t i = 1; i < sizeof coefficients / sizeof coefficients[0]; i++)
        p = sum_f32(product_f32(p, r), coefficients[i]);
    return ldexpf(p, (int)n);
}

/* Returns ln z by the series 2 artanh(s) = 2s + 2s³/3 + … + 2s¹³/13. */
static double ln(double z)
{
    int k;
    double m = frexp(z, &k);
    if (m < sqrt(0.5)) {
        m *= 2.0;
        k--;
    }
    const double s = (m - 1.0) / (m + 1.0), square = s * s;
    double sum = 0.0;
    for (int i = 13; i >= 1; i -= 2)
        sum = sum * square + 2.0 / i;
    return k * 0x1.62e42fefa39efp-1 + sum * s;
}

/* Returns the maximum of a row, or NaN if the row has no probabilities: it has a NaN or +infinity, or
 * only -infinity. */
static double max_of(size_t c, const double *s)
{
    double max = -INFINITY;
    for (size_t j = 0; j < c; j++) {
        if (isnan(s[j]))
            return s[j];
        max = fmax(max, s[j]);
    }
    return isinf(max) ? (double)NAN : max;
}

/* Returns the sum of the exponentials, each in fixed point. */
static double sum_of(size_t c, const double *s, double max)
{
    enum { BITS = 37 };
    int64_t sum = 0;
    for (size_t j = 0; j < c; j++)
        sum += llrint(ldexp((double)exp_of_difference(s[j], max), BITS));
    return ldexp((double)sum, -BITS);
}

double reference_log_sum_u8(size_t c, const double *s, double *max)
{
    *max = max_of(c, s);
    return isnan(*max) ? *max : ln(sum_of(c, s, *max));
}

double reference_softmax_u8(size_t n, size_t c, const double *scores, const int32_t *y,
                            int16_t *dscores)
{
    enum { ONE = 16384 };
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * c, max = max_of(c, s);
        int16_t *ds = dscores + i * c;
        const size_t label = (size_t)y[i];
        if (isnan(max)) {
            memset(ds, 0, c * sizeof *ds);
            loss = max;
            continue;
        }
        const double z = sum_of(c, s, max);
        const float ratio = (float)(ONE / z);
        for (size_t j = 0; j < c; j++) {
            const float p = product_f32(exp_of_difference(s[j], max), ratio);
            ds[j] = (int16_t)(lrint((double)p) - (j == label ? ONE : 0));
        }
        loss += rounded(ln(z) + (max - s[label]));
    }
    return loss;
}

/* Error of a sample: E of a class relative to its exponential, and F of the sum. */
static long double error_of_exp(long double t)
{
    return (1.7L - t) * 0x1p-24L;
}

static bool is_near(size_t c, const double *s, size_t label, const int16_t *ds, long double *loss,
                    long double *loss_bound)
{
    /* For terms of second order. */
    const long double more = 1.001L, max = (long double)max_of(c, s);
    long double sum = 0.0L, f = 0.0L;
    for (size_t j = 0; j < c; j++) {
        const long double t = s[j] - max, e = expl(t);
        sum += e;
        f += e > 0.0L ? e * error_of_exp(t) : 0.0L;
    }
    f = f / sum + (long double)c * 0x1p-38L;
    for (size_t j = 0; j < c; j++) {
        const long double t = s[j] - max, p = expl(t) / sum, got = ds[j] * 0x1p-14L;
        const long double relative = p > 0.0L ? error_of_exp(t) + f + 2.0L * 0x1p-24L : 0.0L;
        if (!(fabsl(got - (p - (j == label ? 1.0L : 0.0L))) <= 0x1p-15L + more * p * relative))
            return false;
    }
    *loss += logl(sum) + (max - s[label]);
    *loss_bound += 0x1p-21L + more * (f + 0x1p-41L);
    return true;
}

bool reference_softmax_u8_is_near(size_t n, size_t c, const double *scores, const int32_t *y,
                                  const int16_t *dscores, double loss)
{
    long double exact = 0.0L, bound = 0.0L;
    bool undefined = false;
    for (size_t i = 0; i < n; i++) {
        const double *s = scores + i * c;
        if (isnan(max_of(c, s)))
            undefined = true;
        else if (!is_near(c, s, (size_t)y[i], dscores + i * c, &exact, &bound))
            return false;
    }
    if (undefined)
        return isnan(loss);
    return isinf(exact) ? isinf(loss) : fabsl(loss - exact) <= bound + 0x1p-51L * exact;
}

void reference_grad_u8(size_t n, size_t d, size_t c, const uint8_t *const *x,
                       const int16_t *dscores, int64_t *sums, int64_t *sums_b)
{
    for (size_t j = 0; j < c; j++)
        for (size_t i = 0; i < n; i++) {
            const int32_t g = dscores[i * c + j];
            sums_b[j] += g;
            for (size_t k = 0; g != 0 && k < d; k++)
                sums[j * d + k] += g * x[i][k];
        }
}

void reference_update_u8(size_t d, size_t c, float *w, float *b, const int64_t *sums,
                         const int64_t *sums_b, const uint16_t *mean, const float *scale,
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
