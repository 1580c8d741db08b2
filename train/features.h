/* SPDX-License-Identifier: MIT
 *
 * The features of a data set in the form in which they are trained on: as the bytes they are, with the
 * normalisation folded into the weights, or normalised and in f32. */
#ifndef DOWNHILL_TRAIN_FEATURES_H
#define DOWNHILL_TRAIN_FEATURES_H

#include "data/dataset.h"
#include "downhill.h"
#include "normalise.h"

#include <stdbool.h>

typedef enum feature_type {
    FEATURES_U8, /* exact, hinge loss only: the same bits on every level and number of threads */
    FEATURES_F32
} feature_type;

/* What each type is called, in options and in files. */
extern const char *const feature_words[2];

typedef struct features {
    feature_type type;
    const dataset *data;
    normalisation norm;
    const float *f32[2]; /* of data->stored, where type is FEATURES_F32: rows × d, */
    size_t ld[2];        /* so far apart */
    float *own[2];       /* the copies among them, to be freed */
} features;

/* Normalises by the training samples. FEATURES_F32 copies features that are not f32 as they are wanted,
 * each part of them by one of `threads` threads, in whose memory it then is. FEATURES_U8: only bytes.
 * false: no memory. */
bool features_open(feature_type type, const dataset *data, normalise_kind kind, size_t threads,
                   features *f);

/* The same with a normalisation that is given, and that *f takes over. */
bool features_open_with(feature_type type, const dataset *data, normalisation *norm, size_t threads,
                        features *f);
void features_close(features *f);

/* For the library: n samples of s from these rows of it, labels included; n_next of those of the next
 * call follow them. */
downhill_batch_f32 features_batch_f32(const features *f, const matrix *x, const size_t *rows,
                                      size_t n, size_t n_next);
downhill_batch_u8 features_batch_u8(const matrix *x, const size_t *rows, size_t n, size_t n_next);

/* For the library: how bytes are normalised. */
downhill_norm_u8 features_norm_u8(const features *f);

/* Whether the exact sums have room for these data in minibatches of so many samples. If not, prints a
 * line and returns false. */
bool features_fit_u8(const dataset *data, size_t batch);

#endif
