/* SPDX-License-Identifier: MIT */
#include "trainer_reference.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDOFF 0x1p-24

/* Copies the weights of a class, the bias last, as the trainer uses them: rounded for
 * FEATURES_U8. */
static void weights_of(const problem *p, const downhill_weights_f32 *w, size_t j, double *to)
{
    double max = 0.0;
    for (size_t k = 0; k < w->d; k++) {
        to[k] = (double)w->w[j * w->ldw + k];
        max = fmax(max, fabs(to[k]));
    }
    to[w->d] = (double)w->b[j];
    if (p->features->type == FEATURES_F32)
        return;
    double quantum = 0x1p-126;
    while (max > 32639.0 * quantum || fabs(to[w->d]) >= 0x1p40 * quantum)
        quantum *= 2.0;
    for (size_t k = 0; k < w->d; k++)
        to[k] = nearbyint(to[k] / quantum) * quantum;
    to[w->d] = nearbyint(to[w->d] / quantum * 256.0) / 256.0 * quantum;
}

/* Returns feature k as the trainer uses it: without the mean for FEATURES_U8. Feature d is 1. */
static double feature(const problem *p, const samples *s, size_t i, size_t k)
{
    const features *f = p->features;
    if (k == p->data->d)
        return 1.0;
    if (f->type == FEATURES_U8)
        return (double)samples_u8(s, i)[k] - (double)f->norm.mean_256[k] / 256.0;
    const int set = s->x == &p->data->stored[1];
    return (double)f->f32[set][s->rows[i] * f->ld[set] + k];
}

/* Returns the divisor that turns a weight into that of the normalised feature. */
static double scale_of(const problem *p, size_t k)
{
    return p->features->type == FEATURES_U8 ? (double)p->features->norm.scale[k] : 1.0;
}

/* Computes the scores of a sample. Returns the largest sum of magnitudes. */
static double score(const problem *p, const samples *s, size_t i, const double *w, double *scores)
{
    const size_t d = p->data->d, c = p->data->c;
    double max = 0.0;
    for (size_t j = 0; j < c; j++) {
        double magnitude = 0.0;
        scores[j] = 0.0;
        for (size_t k = 0; k <= d; k++) {
            const double product = w[j * (d + 1) + k] * feature(p, s, i, k);
            scores[j] += product;
            magnitude += fabs(product);
        }
        max = fmax(max, magnitude);
    }
    return max;
}

/* Returns the loss of a sample, and computes its dscores. */
static double loss_of(const problem *p, const double *scores, size_t y, double *dscores)
{
    const size_t c = p->data->c;
    double loss = 0.0, max = scores[0], sum = 0.0;
    memset(dscores, 0, c * sizeof *dscores);
    if (p->loss.kind == DOWNHILL_HINGE) {
        for (size_t j = 0; j < c; j++) {
            const double violation = scores[j] - scores[y] + (double)p->loss.margin;
            if (j == y || violation <= 0.0)
                continue;
            loss += violation;
            dscores[j] += 1.0;
            dscores[y] -= 1.0;
        }
        return loss;
    }
    for (size_t j = 0; j < c; j++)
        max = fmax(max, scores[j]);
    for (size_t j = 0; j < c; j++)
        sum += dscores[j] = exp(scores[j] - max);
    for (size_t j = 0; j < c; j++)
        dscores[j] = dscores[j] / sum - (j == y ? 1.0 : 0.0);
    return log(sum) + max - scores[y];
}

/* Computes loss, accuracy and bound, and the gradient unless `gradient` is NULL. */
static reference pass(const problem *p, const samples *s, const downhill_weights_f32 *w,
                      double *gradient)
{
    const size_t d = p->data->d, c = p->data->c, ld = d + 1;
    reference result = {0};
    double *rounded = malloc(c * ld * sizeof *rounded), magnitude = 0.0;
    double *scores = malloc(2 * c * sizeof *scores), *dscores = scores + c;
    assert_true(rounded != NULL && scores != NULL);
    for (size_t j = 0; j < c; j++)
        weights_of(p, w, j, rounded + j * ld);
    for (size_t i = 0; i < s->n; i++) {
        size_t best = 0;
        const size_t y = (size_t)samples_label(s, i);
        magnitude = fmax(magnitude, score(p, s, i, rounded, scores));
        result.loss += loss_of(p, scores, y, dscores);
        for (size_t j = 1; j < c; j++)
            best = scores[j] > scores[best] ? j : best;
        result.accuracy += best == y;
        for (size_t j = 0; j < c && gradient != NULL; j++)
            for (size_t k = 0; k < ld; k++)
                gradient[j * ld + k] += dscores[j] * feature(p, s, i, k);
    }
    const double n = (double)s->n, classes = (double)c;
    result.loss /= n;
    result.accuracy /= n;
    /* The hinge loss has two scores per term. The loss of softmax changes by at most twice the
     * error of a score, and its own rounding is below c + 60 roundings of an f32. On bytes the
     * scores are exact, and only the arguments of the exponentials and the exponentials are
     * rounded; then the loss is rounded to a multiple of its unit, as on a loss surface of f32. */
    const double score_error = ((double)d + 3.0) * ROUNDOFF * magnitude;
    const double unit_error = DOWNHILL_LOSS_UNIT / 2.0;
    if (p->features->type == FEATURES_U8)
        result.bound = p->loss.kind == DOWNHILL_HINGE
                           ? classes * unit_error
                           : unit_error + (2.0 * magnitude + 4.0) * ROUNDOFF;
    else if (p->loss.kind == DOWNHILL_HINGE)
        result.bound =
            2.0 * classes * score_error + (256.0 * classes + 2.0) * ROUNDOFF * result.loss;
    else
        result.bound =
            unit_error + 2.0 * score_error + (classes + 60.0) * ROUNDOFF * (1.0 + 2.0 * magnitude);
    result.bound += 1e-12 * result.loss;
    double squares = 0.0;
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const double scale = scale_of(p, k), value = (double)w->w[j * w->ldw + k] / scale;
            squares += value * value;
            if (gradient != NULL)
                gradient[j * ld + k] =
                    gradient[j * ld + k] * scale / n + 2.0 * (double)p->reg * value;
        }
    for (size_t j = 0; j < c && gradient != NULL; j++)
        gradient[j * ld + d] /= n;
    result.loss += (double)p->reg * squares;
    free(rounded);
    free(scores);
    return result;
}

reference reference_at(const problem *p, const samples *s, const downhill_weights_f32 *w)
{
    return pass(p, s, w, NULL);
}

void reference_gradient(const problem *p, const samples *s, const downhill_weights_f32 *w,
                        double *gradient)
{
    memset(gradient, 0, p->data->c * (p->data->d + 1) * sizeof *gradient);
    pass(p, s, w, gradient);
}
