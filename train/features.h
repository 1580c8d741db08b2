/* SPDX-License-Identifier: MIT
 *
 * The features of a data set as the trainer reads them: either the stored bytes, with the
 * normalisation folded into the weights, or normalised f32. */
#ifndef DOWNHILL_TRAIN_FEATURES_H
#define DOWNHILL_TRAIN_FEATURES_H

#include "data/dataset.h"
#include "downhill.h"
#include "normalise.h"

#include <stdbool.h>

typedef enum feature_type {
    /* exact: the same bits on every ISA level and number of threads */
    FEATURES_U8,
    FEATURES_F32
} feature_type;

/* Names of the types in options and files. */
extern const char *const feature_words[2];

typedef struct features {
    feature_type type;
    const dataset *data;
    normalisation norm;
    /* FEATURES_F32: rows × d of data->stored, and their leading dimensions */
    const float *f32[2];
    size_t ld[2];
    float *own[2]; /* those of f32[] that are copies owned by this struct, else NULL */
} features;

/* Computes the normalisation from the training samples. FEATURES_F32 copies features that cannot be
 * used as they are stored; each of `threads` threads copies one part, which then lies in its NUMA
 * node. FEATURES_U8 needs features that are bytes. Returns false if memory is short. */
bool features_open(feature_type type, const dataset *data, normalise_kind kind, size_t threads,
                   features *f);

/* Same as features_open(), with a given normalisation, which *f takes over. */
bool features_open_with(feature_type type, const dataset *data, normalisation *norm, size_t threads,
                        features *f);
void features_close(features *f);

/* Returns a batch view of the n samples whose row numbers are in `rows`, with their labels. The
 * n_next row numbers after them are those of the next call. */
downhill_batch_f32 features_batch_f32(const features *f, const matrix *x, const size_t *rows,
                                      size_t n, size_t n_next);
downhill_batch_u8 features_batch_u8(const matrix *x, const size_t *rows, size_t n, size_t n_next);

/* Returns the normalisation of bytes in the library's form. */
downhill_norm_u8 features_norm_u8(const features *f);

/* Returns whether training on bytes has room for so many features and classes. Prints a line if
 * not. */
bool features_fit_u8(const dataset *data);

#endif
