/* SPDX-License-Identifier: MIT
 *
 * Gradient descent on minibatches, of one sample to all of them. */
#ifndef DOWNHILL_TRAIN_SGD_H
#define DOWNHILL_TRAIN_SGD_H

#include "optimiser.h"
#include "problem.h"
#include "schedule.h"

typedef enum sgd_shuffle {
    SGD_SHUFFLE_ROWS,  /* every epoch the samples in a new order */
    SGD_SHUFFLE_BATCH, /* the minibatches, each of neighbours in memory: faster from there; samples
                          that do not fill one come last */
    SGD_SHUFFLE_NONE   /* in the order of the data */
} sgd_shuffle;

typedef struct sgd_options {
    sgd_shuffle shuffle;
    size_t batch; /* samples of a minibatch; the last one of an epoch may be smaller */
    float lr;     /* learning rate η */
    schedule schedule;
    optimiser_rule rule;
    float momentum;
    size_t epochs;
    size_t patience;         /* epochs without a better validation accuracy, then stop; 0: never */
    uint64_t seed;           /* of the order of the samples */
    size_t checkpoint_every; /* steps; 0: at the end of each epoch */
} sgd_options;

typedef struct sgd_epoch {
    double seconds;    /* wall time of the steps and of drawing the order, evaluation left out */
    double train_loss; /* mean loss per sample, each taken just before its step; no penalty */
    double validation_accuracy; /* NaN where there is no validation set */
    double test_accuracy; /* share of the test samples with the highest score at their label */
    double samples_per_s;
} sgd_epoch;

/* All that training needs to go on as if it had not stopped, between two steps. */
typedef struct sgd_state {
    size_t epoch, step;      /* epochs that are complete; steps of the next one */
    double loss_sum;         /* of these steps */
    double seconds;          /* that they took */
    double first_loss;       /* mean loss of the first minibatch, with all weights 0 */
    size_t best_epoch;       /* from 1; 0: none yet, or no validation set */
    double best_accuracy;    /* on the validation set, after it */
    sgd_epoch *epochs;       /* those that are complete */
    downhill_profile phases; /* of all steps */
    downhill_weights_f32 weights, velocity,
        best; /* the latter two with w NULL where there are none */
} sgd_state;

typedef struct sgd_result {
    sgd_state state;                     /* the end */
    const downhill_weights_f32 *weights; /* of it: the best on the validation set, or the last */
    double seconds;                      /* of all steps */
    char digest[MODEL_DIGEST_TEXT];      /* of `weights`; "" if interrupted */
    bool interrupted;
    bool stopped_early; /* by `patience` */
    char failed[PROBLEM_FAILURE_TEXT];
} sgd_result;

typedef struct sgd_events {
    /* After each epoch. */
    void (*epoch)(const sgd_epoch *epoch, size_t number, void *context);
    /* When it is time to save the state, and when it was interrupted; NULL: never. Returns an exit code. */
    int (*checkpoint)(const sgd_state *state, void *context);
    void *context;
} sgd_events;

/* Trains from W = 0 and b = 0, or goes on from a state (NULL: none) of the same problem and options, to the same
 * bits. Checks that the first loss is what zero weights must give (Δ·(c-1) for hinge, ln c for softmax). Returns
 * EXIT_OK; EXIT_CHECK, with a line and the reason in result->failed, if that fails or the loss stops being finite;
 * EXIT_INTERNAL where memory is short. The result is to be freed in any case. */
int sgd_train(const problem *p, const sgd_options *options, const sgd_state *from,
              const sgd_events *events, sgd_result *result);
void sgd_free(sgd_result *result);

/* Room for the weights and epochs of a state. false: no memory. */
bool sgd_state_new(const sgd_options *options, bool with_best, size_t d, size_t c,
                   sgd_state *state);
void sgd_state_free(sgd_state *state);

#endif
