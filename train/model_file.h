/* SPDX-License-Identifier: MIT
 *
 * Models on disk: an NPZ file with
 *
 *   w.npy      c × d, f32         scores = ((x - mean) * scale) @ w.T + b
 *   b.npy      c, f32
 *   mean.npy   d, f32             of the features as they are in the data
 *   scale.npy  d, f32             1 for a model that was trained on bytes: its w are for bytes
 *   unit.npy   d, f32             of such a model only: what its features were multiplied with; its penalty and
 *                                 its steps are of w / unit
 *   record.json                   dtype, normalize, classes, digest of the weights, and how it was trained
 *
 * and, in a checkpoint, velocity_w, velocity_b, best_w and best_b where there are any, and "state" in the record. */
#ifndef DOWNHILL_TRAIN_MODEL_FILE_H
#define DOWNHILL_TRAIN_MODEL_FILE_H

#include "features.h"
#include "model.h"

#include <jansson.h>

typedef struct model_file {
    feature_type type;
    bool bytes; /* the features of the data are bytes */
    normalisation norm;
    downhill_weights_f32 weights, velocity,
        best; /* the latter two with w NULL where there are none */
    json_t *record;
    const char **
        class_names; /* in the record, in the order of the classes; only of a model that was read */
} model_file;

/* Writes the file whole or not at all. The record gets what the format asks for; of the rest the caller sees to. The
 * arrays are only read. Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL. */
int model_file_write(const char *path, const model_file *m, const dataset *data);

/* Reads and checks all of it: shapes, numbers that are not finite, the digest. Returns EXIT_OK, or prints a line and
 * returns EXIT_DATA or EXIT_INTERNAL; then *m is empty. */
int model_file_read(const char *path, model_file *m);
void model_file_close(model_file *m);

#endif
