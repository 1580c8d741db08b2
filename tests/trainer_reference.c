/* SPDX-License-Identifier: MIT */
#include "trainer_reference.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDOFF 0x1p-24

/* The weights of a class, the bias last, as they are computed with. */
static void weights_of(const problem *p, const downhill_weights_f32 *w, size_t j, double *to)
{
    double most = 0.0;
    for (size_t k = 0; k < w->d; k++) {
        to[k] = (double)w->w[j * w->ldw + k];
        most = fmax(most, fabs(to[k]));
    }
    to[w->d] = (double)w->b[j];
    if (p->features->type == FEATURES_F32)
        return;
    double unit = 0x1p-126;
    while (most > 32639.0 * unit || fabs(to[w->d]) >= 0x1p40 * unit)
        unit *= 2.0;
    for (size_t k = 0; k < w->d; k++)
        to[k] = nearbyint(to[k] / unit) * unit;
    to[w->d] = nearbyint(to[w->d] / unit * 256.0) / 256.0 * unit;
}

/* Feature k as it is computed with. */
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

/* What a weight is to be divided by for the one of normalised features. */
static double unit_of(const problem *p, size_t k)
{
    return p->features->type == FEATURES_U8 ? (double)p->features->norm.scale[k] : 1.0;
}

/* The scores of a sample; returns the largest sum of magnitudes. */
static double score(const problem *p, const samples *s, size_t i, const double *w, double *scores)
{
    const size_t d = p->data->d, c = p->data->c;
    double most = 0.0;
    for (size_t j = 0; j < c; j++) {
        double magnitude = 0.0;
        scores[j] = 0.0;
        for (size_t k = 0; k <= d; k++) {
            const double product = w[j * (d + 1) + k] * feature(p, s, i, k);
            scores[j] += product;
            magnitude += fabs(product);
        }
        most = fmax(most, magnitude);
    }
    return most;
}

/* Loss and dscores of a sample. */
static double loss_of(const problem *p, const double *scores, size_t y, double *dscores)
{
    const size_t c = p->data->c;
    double loss = 0.0, most = scores[0], sum = 0.0;
    memset(dscores, 0, c * sizeof *dscores);
    if (p->loss.kind == DOWNHILL_HINGE) {
        for (size_t j = 0; j < c; j++) {
            const double margin = scores[j] - scores[y] + (double)p->loss.margin;
            if (j == y || margin <= 0.0)
                continue;
            loss += margin;
            dscores[j] += 1.0;
            dscores[y] -= 1.0;
        }
        return loss;
    }
    for (size_t j = 0; j < c; j++)
        most = fmax(most, scores[j]);
    for (size_t j = 0; j < c; j++)
        sum += dscores[j] = exp(scores[j] - most);
    for (size_t j = 0; j < c; j++)
        dscores[j] = dscores[j] / sum - (j == y ? 1.0 : 0.0);
    return log(sum) + most - scores[y];
}

/* In one pass; the gradient where it is wanted. */
static reference pass(const problem *p, const samples *s, const downhill_weights_f32 *w,
                      double *gradient)
{
    const size_t d = p->data->d, c = p->data->c, wide = d + 1;
    reference of = {0};
    double *rounded = malloc(c * wide * sizeof *rounded), magnitude = 0.0;
    double *scores = malloc(2 * c * sizeof *scores), *dscores = scores + c;
    assert_true(rounded != NULL && scores != NULL);
    for (size_t j = 0; j < c; j++)
        weights_of(p, w, j, rounded + j * wide);
    for (size_t i = 0; i < s->n; i++) {
        size_t best = 0;
        const size_t y = (size_t)samples_label(s, i);
        magnitude = fmax(magnitude, score(p, s, i, rounded, scores));
        of.loss += loss_of(p, scores, y, dscores);
        for (size_t j = 1; j < c; j++)
            best = scores[j] > scores[best] ? j : best;
        of.accuracy += best == y;
        for (size_t j = 0; j < c && gradient != NULL; j++)
            for (size_t k = 0; k < wide; k++)
                gradient[j * wide + k] += dscores[j] * feature(p, s, i, k);
    }
    const double n = (double)s->n, classes = (double)c;
    of.loss /= n;
    of.accuracy /= n;
    /* Each margin is of two scores; those of softmax change its loss by no more than the largest of them, and its own
     * rounding is below c + 60 of an f32. */
    const double of_score = ((double)d + 3.0) * ROUNDOFF * magnitude;
    if (p->features->type == FEATURES_U8)
        of.bound = classes * DOWNHILL_LOSS_UNIT / 2.0;
    else if (p->loss.kind == DOWNHILL_HINGE)
        of.bound = 2.0 * classes * of_score + (256.0 * classes + 2.0) * ROUNDOFF * of.loss;
    else
        of.bound = 2.0 * of_score + (classes + 60.0) * ROUNDOFF * (1.0 + 2.0 * magnitude);
    of.bound += 1e-12 * of.loss;
    double squares = 0.0;
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++) {
            const double unit = unit_of(p, k), value = (double)w->w[j * w->ldw + k] / unit;
            squares += value * value;
            if (gradient != NULL)
                gradient[j * wide + k] =
                    gradient[j * wide + k] * unit / n + 2.0 * (double)p->reg * value;
        }
    for (size_t j = 0; j < c && gradient != NULL; j++)
        gradient[j * wide + d] /= n;
    of.loss += (double)p->reg * squares;
    free(rounded);
    free(scores);
    return of;
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
