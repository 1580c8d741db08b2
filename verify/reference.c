/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <math.h>

#define U          0x1p-24  /* unit roundoff of f32 */
#define SUBNORMAL  0x1p-149 /* error of a product that underflows */
#define MIN_NORMAL 0x1p-126

/* Returns γ_m, the bound on the relative error of m roundings in sequence. */
static double gamma_of(double m)
{
    return m * U / (1.0 - m * U);
}

void reference_score(size_t n, size_t d, size_t c, const float *const *x, const float *w,
                     size_t ldw, const float *b, bounded *scores)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const double bias = b != NULL ? (double)b[j] : 0.0;
            double sum = bias, magnitude = fabs(bias);
            for (size_t k = 0; k < d; k++) {
                const double product = (double)x[i][k] * (double)w[j * ldw + k];
                sum += product;
                magnitude += fabs(product);
            }
            scores[i * c + j].value = sum;
            scores[i * c + j].bound =
                isfinite(sum) ? gamma_of((double)d + 2.0) * magnitude + (double)d * SUBNORMAL : 0.0;
        }
}

bounded reference_hinge(size_t n, size_t c, const bounded *scores, const int32_t *y, double margin,
                        bounded *dscores)
{
    bounded loss = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        const bounded *s = scores + i * c;
        bounded *ds = dscores + i * c;
        const size_t label = (size_t)y[i];
        double count = 0.0, count_bound = 0.0;
        for (size_t j = 0; j < c; j++) {
            if (j == label)
                continue;
            /* For exact scores the roundings in f32 are part of the definition. Otherwise they
             * add to the error of the scores, and may decide on which side of the kink the
             * result falls. */
            const int exact = s[j].bound == 0.0 && s[label].bound == 0.0;
            const float violation_f32 = ((float)s[j].value - (float)s[label].value) + (float)margin;
            const double difference = s[j].value - s[label].value;
            const double violation = exact ? (double)violation_f32 : difference + margin;
            const double error =
                exact ? 0.0
                      : s[j].bound + s[label].bound + U * (fabs(difference) + fabs(violation));
            const int uncertain = !exact && isfinite(violation) && fabs(violation) <= error;
            ds[j].value = !(violation <= 0.0) ? 1.0 : 0.0; /* true for NaN, too */
            ds[j].bound = uncertain ? 1.0 : 0.0;
            count += ds[j].value;
            count_bound += ds[j].bound;
            if (!(violation <= 0.0))
                loss.value += violation;
            if (violation > 0.0 || uncertain)
                loss.bound += error;
        }
        ds[label].value = -count;
        ds[label].bound = count_bound;
    }
    /* The kernels sum over the classes of a row in f32, then over the rows in f64. */
    loss.bound += (gamma_of((double)c) + (double)n * 0x1p-52) * (loss.value + loss.bound);
    return loss;
}

/* Returns whether a row has no probabilities: it has a NaN or +infinity, or only -infinity. */
static int is_undefined(const bounded *s, size_t c)
{
    double max = -INFINITY;
    for (size_t j = 0; j < c; j++) {
        if (isnan(s[j].value))
            return 1;
        max = fmax(max, s[j].value);
    }
    return isinf(max);
}

/* Returns s - max, cut off where the probability is 0 anyway, so that it stays finite. */
static double exponent(bounded s, double max)
{
    return fmax(s.value - max, -1e4);
}

bounded reference_softmax(size_t n, size_t c, const bounded *scores, const int32_t *y,
                          bounded *dscores)
{
    /* Relative error of the exponential without FMA, the maximum of all levels (softmax.h). */
    const double exp_error = 1.7 * U;
    bounded loss = {0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        const bounded *s = scores + i * c;
        bounded *ds = dscores + i * c;
        const size_t label = (size_t)y[i];
        if (is_undefined(s, c)) {
            for (size_t j = 0; j < c; j++)
                ds[j] = (bounded){NAN, 0.0};
            loss.value = NAN;
            continue;
        }
        double max = s[0].value, score_bound = 0.0;
        for (size_t j = 0; j < c; j++) {
            max = fmax(max, s[j].value);
            score_bound = fmax(score_bound, s[j].bound);
        }
        double sum = 0.0, weighted_error = 0.0;
        for (size_t j = 0; j < c; j++) {
            const double t = exponent(s[j], max), e = exp(t);
            sum += e;
            weighted_error += e * (fabs(t) * U + exp_error);
        }
        weighted_error = weighted_error / sum + MIN_NORMAL * (double)c;
        /* An error of s in the scores changes every p by a factor within e^(±2s). */
        const double from_scores = expm1(2.0 * score_bound);
        for (size_t j = 0; j < c; j++) {
            const double t = exponent(s[j], max), p = exp(t) / sum;
            const double relative =
                fabs(t) * U + exp_error + weighted_error + ((double)c + 4.0) * U + from_scores;
            const double target = j == label ? 1.0 : 0.0;
            ds[j].value = p - target;
            /* 1 % covers the second-order terms. Then the flush to 0 and the last subtraction. */
            ds[j].bound = 1.01 * p * relative + 2.0 * MIN_NORMAL + target * U * fabs(p - target);
        }
        loss.value += log(sum) + max - s[label].value;
        loss.bound += 1.01 * (weighted_error + ((double)c + 1.0) * U) + 2.0 * score_bound +
                      1e-15 * (fabs(max - s[label].value) + 1.0);
    }
    loss.bound += (double)n * 1e-15 * fabs(loss.value);
    return loss;
}

void reference_grad(size_t n, size_t d, size_t c, const float *const *x, const bounded *dscores,
                    const float *before_w, size_t ldbefore, const float *before_b, bounded *dw,
                    bounded *db)
{
    const double gamma = gamma_of((double)n + 2.0), underflow = (double)n * SUBNORMAL;
    for (size_t j = 0; j < c; j++) {
        const double bias = before_b != NULL ? (double)before_b[j] : 0.0;
        double sum_b = bias, bound_b = gamma * fabs(bias);
        for (size_t i = 0; i < n; i++) {
            const bounded g = dscores[i * c + j];
            sum_b += g.value;
            bound_b += g.bound + gamma * (fabs(g.value) + g.bound);
        }
        db[j].value = sum_b;
        db[j].bound = bound_b;
        for (size_t k = 0; k < d; k++) {
            const double start = before_w != NULL ? (double)before_w[j * ldbefore + k] : 0.0;
            dw[j * d + k] = (bounded){start, gamma * fabs(start) + underflow};
        }
        for (size_t i = 0; i < n; i++) {
            const bounded g = dscores[i * c + j];
            const double dscore_bound = g.bound + gamma * (fabs(g.value) + g.bound);
            for (size_t k = 0; k < d; k++) {
                dw[j * d + k].value += g.value * (double)x[i][k];
                dw[j * d + k].bound += dscore_bound * fabs((double)x[i][k]);
            }
        }
    }
}
