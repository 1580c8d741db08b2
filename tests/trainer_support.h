/* SPDX-License-Identifier: MIT
 *
 * A small set that a linear classifier can separate, for the tests of the trainer, and runs of training on it. */
#ifndef DOWNHILL_TESTS_TRAINER_SUPPORT_H
#define DOWNHILL_TESTS_TRAINER_SUPPORT_H

#include "train/sgd.h"

typedef struct trainer_size {
    size_t n_train, n_test, d, c;
} trainer_size;

/* Bytes, or the same set in f32 from -1 to 1; to be closed by dataset_close(). Fails the test if memory is short. */
void trainer_data(const trainer_size *size, bool bytes, uint64_t seed, dataset *data);

/* Weights and biases from -1 to 1, to be freed by weights_free(). */
downhill_weights_f32 trainer_weights(size_t d, size_t c, uint64_t seed);

/* Two sets of weights of one shape, bit for bit. */
bool trainer_same_weights(const downhill_weights_f32 *a, const downhill_weights_f32 *b);

/* Writes features, which are bytes, and labels as IDX files into the scratch directory. */
void trainer_write_idx(const samples *s, const char *images, const char *labels);

/* A run: what it is asked for, and what it is on. The problem's data and features are filled in by trainer_run(). */
typedef struct trainer_job {
    sgd_options sgd;
    const dataset *data;
    feature_type type;
    normalise_kind normalise;
    problem p;
} trainer_job;

trainer_job trainer_defaults(const dataset *data, downhill_loss_kind kind);
int trainer_run(trainer_job job, const sgd_state *from, const sgd_events *events,
                sgd_result *result);

/* A problem on standardised features, which are to be closed: way 0 is of bytes and the hinge loss, 1 of f32 and the
 * hinge loss, 2 of f32 and softmax. */
enum { TRAINER_WAYS = 3 };
problem trainer_open_way(const dataset *data, int way, features *f);

#endif
