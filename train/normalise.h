/* SPDX-License-Identifier: MIT
 *
 * How features are normalised, x̂_k = (x_k - mean_k)·r_k, from the training samples. */
#ifndef DOWNHILL_TRAIN_NORMALISE_H
#define DOWNHILL_TRAIN_NORMALISE_H

#include "dataset.h"
#include "downhill.h"

#include <stdbool.h>

typedef enum normalise_kind {
    NORMALISE_NONE,       /* x / 255 */
    NORMALISE_CENTER,     /* (x - mean) / 255 */
    NORMALISE_STANDARDISE /* (x - mean) / standard deviation */
} normalise_kind;

typedef struct normalisation {
    size_t d;
    uint16_t *mean; /* d, in 256ths */
    float *scale;   /* d: r_k */
    float *gain;    /* d: r_k² */
    normalise_kind kind;
} normalisation;

/* false: no memory. The sums are of integers, so the result does not depend on the machine. */
bool normalise_open(normalise_kind kind, const samples *train, normalisation *norm);
void normalise_close(normalisation *norm);

/* The features as f32, n × d, to be freed; NULL: no memory. */
float *normalise_f32(const normalisation *norm, const samples *s);

#endif
