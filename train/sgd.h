/* SPDX-License-Identifier: MIT
 *
 * Minibatch stochastic gradient descent on the fused step. */
#ifndef DOWNHILL_TRAIN_SGD_H
#define DOWNHILL_TRAIN_SGD_H

#include "dataset.h"
#include "downhill.h"
#include "model.h"

#include <signal.h>
#include <stdbool.h>

typedef enum sgd_shuffle {
    SGD_SHUFFLE_ROWS,  /* every epoch the samples in a new order */
    SGD_SHUFFLE_BATCH, /* the minibatches, each of neighbours in memory: faster from there; samples
                          that do not fill one come last */
    SGD_SHUFFLE_NONE   /* in the order of the data */
} sgd_shuffle;

typedef struct sgd_options {
    downhill_loss loss;
    model_dtype dtype;
    normalise_kind normalise;
    sgd_shuffle shuffle;
    size_t batch; /* samples of a minibatch; the last one of an epoch may be smaller */
    float lr;     /* learning rate η */
    float reg;    /* λ of the penalty λ‖W‖² */
    size_t epochs;
    uint64_t seed; /* of the order of the samples */
    size_t threads;
    const int *cpus; /* what they are bound to (parallel/team.h) */
    bool progress;   /* a bar on stderr */
} sgd_options;

typedef struct sgd_epoch {
    double seconds;       /* wall time of the steps and of drawing the order, evaluation left out */
    double train_loss;    /* mean loss per sample, each taken just before its step; no penalty */
    double test_accuracy; /* share of the test samples with the highest score at their label */
    double samples_per_s;
} sgd_epoch;

typedef struct sgd_result {
    double first_loss; /* mean loss of the first minibatch, with all weights 0 */
    size_t n_epochs;   /* completed */
    sgd_epoch *epochs;
    double seconds;                 /* of all epochs */
    downhill_profile phases;        /* of these epochs */
    char digest[MODEL_DIGEST_TEXT]; /* of the weights (model.h); "" if interrupted */
    bool interrupted;
} sgd_result;

/* Called after each epoch. */
typedef void (*sgd_report)(const sgd_epoch *epoch, size_t number, void *context);

/* Trains from W = 0 and b = 0. Checks that the first loss is what zero weights must give (Δ·(c-1)
 * for hinge, ln c for softmax). Returns EXIT_OK; EXIT_CHECK, with a line, if that fails or the loss
 * stops being finite; EXIT_INTERNAL where memory is short. The result is to be freed in any case.
 */
int sgd_train(const sgd_options *options, const dataset *data, const downhill_kernels *kernels,
              sgd_report report, void *context, const volatile sig_atomic_t *stop,
              sgd_result *result);
void sgd_free(sgd_result *result);

#endif
