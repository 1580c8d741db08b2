/* SPDX-License-Identifier: MIT
 *
 * Loss and accuracy of weights on a set of samples. Many sets of weights are evaluated in one pass
 * over the features, as one product with all of them as the classes of one matrix. */
#ifndef DOWNHILL_TRAIN_EVALUATE_H
#define DOWNHILL_TRAIN_EVALUATE_H

#include "features.h"

#include <signal.h>

typedef struct evaluation {
    double loss; /* mean over the samples, without the penalty */
    /* share of samples whose highest score (the first, if several are equal) is at their label */
    double accuracy;
    int64_t only_class; /* the class that every sample is predicted as; -1: more than one class */
} evaluation;

typedef struct evaluator evaluator;

/* Creates an evaluator for up to `count` sets of weights of c classes at a time. *f must outlive
 * it. Returns NULL if memory is short or there are more classes than training on bytes allows. */
evaluator *evaluator_open(const features *f, const downhill_kernels *kernels, downhill_loss loss,
                          size_t c, size_t count, size_t threads);
void evaluator_close(evaluator *e);

/* Makes evaluator_run() and evaluator_scores() return early once *stop is not 0. Their results are
 * then undefined, so the caller must check *stop after each call. */
void evaluator_stops_at(evaluator *e, const volatile sig_atomic_t *stop);

/* Evaluates `count` sets of weights, stored one after another: set i is rows i·c … (i+1)·c-1 of
 * `weights`, which has count·c rows. The results are the same bits for any number of threads; with
 * FEATURES_U8, whose weights are rounded as in a training step, also on every ISA level. */
downhill_status evaluator_run(evaluator *e, const downhill_weights_f32 *weights, size_t count,
                              const samples *s, evaluation *of);

/* Returns how many sets of weights of c classes to evaluate at a time: enough to keep the product
 * of the scores busy, and at most EVALUATE_AT_ONCE_MAX. */
enum { EVALUATE_AT_ONCE_MAX = 64 };
size_t evaluate_at_once(size_t c);

/* Computes the scores of samples first … first+n-1, n × weights->c. */
downhill_status evaluator_scores(evaluator *e, const downhill_weights_f32 *weights,
                                 const samples *s, size_t first, size_t n, double *scores);

#endif
