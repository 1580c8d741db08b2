/* SPDX-License-Identifier: MIT
 *
 * Stochastic gradient descent on minibatches of any size, from one sample to all. */
#ifndef DOWNHILL_TRAIN_SGD_H
#define DOWNHILL_TRAIN_SGD_H

#include "optimiser.h"
#include "problem.h"
#include "schedule.h"

typedef enum sgd_shuffle {
    SGD_SHUFFLE_ROWS, /* samples in a new order every epoch */
    /* complete minibatches in a new order, each of consecutive rows, which read faster; the
     * incomplete one comes last */
    SGD_SHUFFLE_BATCH,
    SGD_SHUFFLE_NONE /* in the order of the data */
} sgd_shuffle;

typedef struct sgd_options {
    sgd_shuffle shuffle;
    size_t batch; /* samples per minibatch; the last one of an epoch may be smaller */
    float lr;     /* learning rate η */
    schedule schedule;
    optimiser_rule rule;
    float momentum;
    size_t epochs;
    /* stop after this many epochs without a better validation accuracy; 0: never */
    size_t patience;
    uint64_t seed;           /* of the order of the samples */
    size_t checkpoint_every; /* steps between checkpoints; 0: only at the end of each epoch */
} sgd_options;

typedef struct sgd_epoch {
    double seconds;    /* wall time of the steps and of drawing the order, without evaluation */
    double train_loss; /* mean loss per sample, computed just before its step; no penalty */
    double validation_accuracy; /* NaN if there is no validation set */
    double test_accuracy;       /* share of test samples with the highest score at their label */
    double samples_per_s;
} sgd_epoch;

/* Everything needed to resume training between two steps and get the same bits. */
typedef struct sgd_state {
    size_t epoch, step;      /* complete epochs; steps done of the next one */
    double loss_sum;         /* over these steps */
    double seconds;          /* for these steps */
    double first_loss;       /* mean loss of the first minibatch, with all weights 0 */
    size_t best_epoch;       /* from 1; 0: none yet, or no validation set */
    double best_accuracy;    /* validation accuracy after that epoch */
    sgd_epoch *epochs;       /* complete epochs */
    downhill_profile phases; /* of all steps */
    /* velocity.w and best.w are NULL if unused */
    downhill_weights_f32 weights, velocity, best;
} sgd_state;

typedef struct sgd_result {
    sgd_state state;                     /* final state */
    const downhill_weights_f32 *weights; /* within `state`: best on the validation set, or last */
    double seconds;                      /* of all steps */
    char digest[MODEL_DIGEST_TEXT];      /* of `weights`; "" if interrupted */
    bool interrupted;
    bool stopped_early; /* ended by `patience` */
    char failed[PROBLEM_FAILURE_TEXT];
} sgd_result;

typedef struct sgd_events {
    /* Called after each epoch. */
    void (*epoch)(const sgd_epoch *epoch, size_t number, void *context);
    /* Called when the state should be saved, and after an interruption. May be NULL. Returns an
     * exit code. */
    int (*checkpoint)(const sgd_state *state, void *context);
    void *context;
} sgd_events;

/* Trains from W = 0 and b = 0, or resumes from a state (NULL: none) of the same problem and
 * options, to the same bits. Checks that the first loss is what zero weights must give (Δ·(c-1) for
 * hinge, ln c for softmax). Returns EXIT_OK; EXIT_CHECK, with a printed line and the reason in
 * result->failed, if that check fails or the loss is no longer finite; EXIT_INTERNAL if memory is
 * short. The caller must free the result in any case. */
int sgd_train(const problem *p, const sgd_options *options, const sgd_state *from,
              const sgd_events *events, sgd_result *result);
void sgd_free(sgd_result *result);

/* Allocates the weights and epochs of a state. Returns false if memory is short. */
bool sgd_state_new(const sgd_options *options, bool with_best, size_t d, size_t c,
                   sgd_state *state);
void sgd_state_free(sgd_state *state);

#endif
