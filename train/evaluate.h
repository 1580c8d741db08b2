/* SPDX-License-Identifier: MIT
 *
 * Loss and accuracy of weights on a set of samples; of many sets of weights in one pass over the features,
 * which is one product with all of them as the classes of one matrix. */
#ifndef DOWNHILL_TRAIN_EVALUATE_H
#define DOWNHILL_TRAIN_EVALUATE_H

#include "features.h"

#include <signal.h>

typedef struct evaluation {
    double loss; /* the mean over the samples, without a penalty */
    double
        accuracy; /* the share of samples whose highest score, the first of equal ones, is at their label */
    int64_t only_class; /* that all samples are predicted as; -1: there are several */
} evaluation;

typedef struct evaluator evaluator;

/* For up to `count` sets of weights of c classes at a time. *f must outlive it. NULL: no memory, or more
 * classes than bytes can have. */
evaluator *evaluator_open(const features *f, const downhill_kernels *kernels, downhill_loss loss,
                          size_t c, size_t count, size_t threads);
void evaluator_close(evaluator *e);

/* Makes evaluator_run() and evaluator_scores() return early once *stop is not 0. Their results are then undefined, and
 * the caller discards them: it checks *stop itself after each call. */
void evaluator_stops_at(evaluator *e, const volatile sig_atomic_t *stop);

/* Sets of weights lie one behind the other: set i is rows i·c … (i+1)·c-1 of `weights`, which has count·c of
 * them. The same bits for any number of threads; with FEATURES_U8, whose weights are rounded as those of a step
 * are, on every level too. */
downhill_status evaluator_run(evaluator *e, const downhill_weights_f32 *weights, size_t count,
                              const samples *s, evaluation *of);

/* How many sets of weights of c classes to evaluate at a time: as many as keep the products of scores busy, and at most
 * EVALUATE_AT_ONCE_MAX. */
enum { EVALUATE_AT_ONCE_MAX = 64 };
size_t evaluate_at_once(size_t c);

/* The scores of samples first … first+n-1, n × weights->c. */
downhill_status evaluator_scores(evaluator *e, const downhill_weights_f32 *weights,
                                 const samples *s, size_t first, size_t n, double *scores);

#endif
