/* SPDX-License-Identifier: MIT
 *
 * A linear classifier in training: weights, and the samples in the type of feature that it is trained
 * on. */
#ifndef DOWNHILL_TRAIN_MODEL_H
#define DOWNHILL_TRAIN_MODEL_H

#include "dataset.h"
#include "downhill.h"
#include "normalise.h"

#include <stdbool.h>

typedef enum model_dtype {
    MODEL_U8, /* bytes, exact, hinge loss only: the same bits on every level and number of threads */
    MODEL_F32
} model_dtype;

/* Whether the exact sums have room for these data in minibatches of so many samples. If not, prints a
 * line and returns false. */
bool model_fits_u8(const dataset *data, size_t batch);

typedef struct model model;

enum { MODEL_DIGEST_TEXT = 2 * 32 + 1 };

/* All weights and biases 0. The data must outlive it. NULL: no memory. MODEL_U8: only data
 * that fit. MODEL_F32: not from a mapping of several files. *why says what is not as wished where it is not fatal, else "". */
model *model_open(model_dtype dtype, const dataset *data, normalise_kind kind, size_t threads,
                  const int *cpus, const downhill_kernels *kernels, char *why, size_t why_size);
void model_close(model *m);

/* A step with the n training samples in these rows; n_next of those of the next step follow them. */
downhill_status model_step(model *m, const size_t *rows, size_t n, size_t n_next,
                           downhill_loss loss, float decay, float step, double *loss_sum,
                           downhill_profile *profile);

const downhill_weights_f32 *model_weights(const model *m);

/* The share of the test samples whose highest score is at their label. */
downhill_status model_accuracy(const model *m, double *accuracy);

/* SHA-256, in hexadecimal, of d and c as 64 bits and W and b as f32, all little-endian. The weights of
 * MODEL_U8 are those for bytes. false: the library for it failed. */
bool model_digest(const model *m, char text[MODEL_DIGEST_TEXT]);

#endif
