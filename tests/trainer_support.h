/* SPDX-License-Identifier: MIT
 *
 * A small linearly separable data set for the tests of the trainer, and training on it. */
#ifndef DOWNHILL_TESTS_TRAINER_SUPPORT_H
#define DOWNHILL_TESTS_TRAINER_SUPPORT_H

#include "train/sgd.h"

typedef struct trainer_size {
    size_t n_train, n_test, d, c;
} trainer_size;

/* Creates the data set in bytes, or in f32 from -1 to 1. Close it with dataset_close(). Fails
 * the test if out of memory. */
void trainer_data(const trainer_size *size, bool bytes, uint64_t seed, dataset *data);

/* Returns random weights and biases from -1 to 1. Free them with weights_free(). */
downhill_weights_f32 trainer_weights(size_t d, size_t c, uint64_t seed);

/* Returns whether two sets of weights have the same shape and the same bits. */
bool trainer_same_weights(const downhill_weights_f32 *a, const downhill_weights_f32 *b);

/* Writes the features, which must be bytes, and the labels as IDX files to the scratch
 * directory. */
void trainer_write_idx(const samples *s, const char *images, const char *labels);

/* Options and data of a training run. trainer_run() fills in data and features of the problem. */
typedef struct trainer_job {
    sgd_options sgd;
    const dataset *data;
    feature_type type;
    normalise_kind normalise;
    problem p;
} trainer_job;

/* Returns a run with default options. */
trainer_job trainer_defaults(const dataset *data, downhill_loss_kind kind);

/* Trains, and returns the exit code of sgd_train(). */
int trainer_run(trainer_job job, const sgd_state *from, const sgd_events *events,
                sgd_result *result);

/* Returns a problem on standardised features. Close these with features_close(). Way 0 is bytes
 * with the hinge loss, 1 is f32 with the hinge loss, 2 is f32 with softmax, 3 is bytes with
 * softmax. */
enum { TRAINER_WAYS = 4 };
problem trainer_open_way(const dataset *data, int way, features *f);

#endif
