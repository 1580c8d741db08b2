/* SPDX-License-Identifier: MIT
 *
 * Models on disk: an NPZ file with
 *
 *   w.npy      c × d, f32         scores = ((x - mean) * scale) @ w.T + b
 *   b.npy      c, f32
 *   mean.npy   d, f32             of the features as they are in the data
 *   scale.npy  d, f32             1 for a model trained on bytes, whose w are for bytes
 *   unit.npy   d, f32             only for a model trained on bytes: scale of its features; its
 *                                 penalty and steps are those of w / unit
 *   record.json                   dtype, normalize, classes, digest of the weights, training record
 *
 * and, in a checkpoint, velocity_w, velocity_b, best_w and best_b if used, and "state" in
 * record.json. */
#ifndef DOWNHILL_TRAIN_MODEL_FILE_H
#define DOWNHILL_TRAIN_MODEL_FILE_H

#include "features.h"
#include "model.h"

#include <jansson.h>

typedef struct model_file {
    feature_type type;
    bool bytes; /* the features of the data are bytes */
    normalisation norm;
    /* velocity.w and best.w are NULL if there are none */
    downhill_weights_f32 weights, velocity, best;
    json_t *record;
    /* names inside `record`, one per class; set only by model_file_read() */
    const char **class_names;
} model_file;

/* Writes the whole file or nothing. The members that the format requires are added to a copy of the
 * record; all others are the caller's. Returns EXIT_OK, or prints a line and returns
 * EXIT_INTERNAL. */
int model_file_write(const char *path, const model_file *m, const dataset *data);

/* Reads and checks a file: shapes, that all numbers are finite, the digest. Returns EXIT_OK, or
 * prints a line and returns EXIT_DATA or EXIT_INTERNAL; then *m is empty. */
int model_file_read(const char *path, model_file *m);
void model_file_close(model_file *m);

#endif
