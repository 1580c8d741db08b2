/* SPDX-License-Identifier: MIT
 *
 * Normalisation of features, x̂_k = (x_k - mean_k)·scale_k, computed from the training samples. */
#ifndef DOWNHILL_TRAIN_NORMALISE_H
#define DOWNHILL_TRAIN_NORMALISE_H

#include "data/samples.h"
#include "downhill.h"

#include <stdbool.h>

typedef enum normalise_kind {
    NORMALISE_NONE,        /* bytes: x / 255; f32: unchanged */
    NORMALISE_CENTER,      /* x - mean; bytes are then divided by 255 */
    NORMALISE_STANDARDISE, /* (x - mean) / standard deviation */
    NORMALISE_RAW,         /* unchanged: bytes from 0 to 255 */
    NORMALISE_RAW_CENTER   /* x - mean */
} normalise_kind;

/* Names of the kinds in options and files. */
enum { NORMALISE_KINDS = NORMALISE_RAW_CENTER + 1 };
extern const char *const normalise_words[NORMALISE_KINDS];

typedef struct normalisation {
    size_t d;
    uint16_t *mean_256; /* d: mean of bytes in 256ths; all 0 for f32 features */
    float *mean;        /* d: mean; 0 if none is subtracted */
    float *scale;       /* d */
    normalise_kind kind;
} normalisation;

/* Computes the normalisation. Bytes are summed as integers and f32 features in f64 in the order of
 * the samples, so the result does not depend on the machine. Returns false if memory is short. */
bool normalise_open(normalise_kind kind, const samples *train, normalisation *norm);
void normalise_close(normalisation *norm);

/* Returns whether the features are used unchanged. */
bool normalise_is_identity(const normalisation *norm, const matrix *x);

/* Writes `rows` rows of x from row `first` on, normalised: rows × x->d. */
void normalise_rows(const normalisation *norm, const matrix *x, size_t first, size_t rows,
                    float *to);

#endif
