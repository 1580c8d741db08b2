/* SPDX-License-Identifier: MIT
 *
 * A step moves the scores of a sample x of its minibatch by about lr·‖x‖². If that is of the order
 * of the margin (1 for softmax), training converges; if it is thousands of margins, the weights
 * jump back and forth. */
#define _GNU_SOURCE
#include "scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS_MAX = 1024 };

/* Margins per step above which a warning is printed. With bytes as x/255 it is 3 on Fashion-MNIST
 * and 16 on CIFAR-10. */
#define MARGINS_MAX 1000.0

/* Standardised features have a mean squared norm of d. Above this multiple of d, the scale of the
 * features is the cause. */
#define STANDARDISED_TIMES 10.0

double scale_mean_square(const problem *p)
{
    const samples *train = &p->data->train;
    const size_t d = p->data->d, count = train->n < ROWS_MAX ? train->n : ROWS_MAX;
    float *row = calloc(d, sizeof *row);
    if (row == NULL || count == 0) {
        free(row);
        return (double)NAN;
    }
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        const size_t at = i * (train->n / count);
        normalise_rows(&p->features->norm, train->x, train->rows[at], 1, row);
        for (size_t k = 0; k < d; k++)
            sum += (double)row[k] * (double)row[k];
    }
    free(row);
    return sum / (double)count;
}

/* Returns the score difference that matters to the loss: the margin, or a factor of e in the
 * probabilities. */
static double margin(const problem *p)
{
    return p->loss.kind == DOWNHILL_HINGE ? (double)p->loss.margin : 1.0;
}

bool scale_is_too_large(const problem *p, double mean_square, float lr)
{
    return (double)lr * mean_square > MARGINS_MAX * margin(p);
}

/* Returns whether --normalize standardize would help. Features of f32 that stay in their files
 * cannot be normalised. */
static bool can_be_standardised(const problem *p)
{
    return p->features->norm.kind != NORMALISE_STANDARDISE &&
           (p->features->type == FEATURES_U8 || p->data->train.x->memory != NULL);
}

const char *scale_remedy(const problem *p, float lr, char text[SCALE_REMEDY_TEXT])
{
    const double mean_square = scale_mean_square(p), settles = margin(p) / mean_square;
    if (can_be_standardised(p) && mean_square > STANDARDISED_TIMES * (double)p->data->d) {
        snprintf(text, SCALE_REMEDY_TEXT, "--normalize standardize");
        return text;
    }
    const bool lower = settles < 0.75 * (double)lr;
    snprintf(text, SCALE_REMEDY_TEXT, "--lr %.1g", lower ? settles : (double)lr / 10.0);
    return text;
}
