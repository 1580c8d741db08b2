/* SPDX-License-Identifier: MIT
 *
 * How features are normalised, x̂_k = (x_k - mean_k)·scale_k, from the training samples. */
#ifndef DOWNHILL_TRAIN_NORMALISE_H
#define DOWNHILL_TRAIN_NORMALISE_H

#include "data/samples.h"
#include "downhill.h"

#include <stdbool.h>

typedef enum normalise_kind {
    NORMALISE_NONE,        /* bytes: x / 255; f32: as they are */
    NORMALISE_CENTER,      /* minus the mean; bytes then / 255 */
    NORMALISE_STANDARDISE, /* (x - mean) / standard deviation */
    NORMALISE_RAW,         /* as they are: bytes from 0 to 255 */
    NORMALISE_RAW_CENTER   /* x - mean */
} normalise_kind;

/* What each kind is called, in options and in files. */
enum { NORMALISE_KINDS = NORMALISE_RAW_CENTER + 1 };
extern const char *const normalise_words[NORMALISE_KINDS];

typedef struct normalisation {
    size_t d;
    uint16_t *mean_256; /* d: the mean of bytes in 256ths, all 0 for features of f32 */
    float *mean;        /* d: the same as a number; 0 where none is subtracted */
    float *scale;       /* d */
    normalise_kind kind;
} normalisation;

/* false: no memory. Sums of bytes are of integers, and those of f32 in f64 in the order of the samples, so the
 * result does not depend on the machine. */
bool normalise_open(normalise_kind kind, const samples *train, normalisation *norm);
void normalise_close(normalisation *norm);

/* Whether features are taken as they are. */
bool normalise_is_identity(const normalisation *norm, const matrix *x);

/* Some rows of x, normalised: rows × x->d. */
void normalise_rows(const normalisation *norm, const matrix *x, size_t first, size_t rows,
                    float *to);

#endif
