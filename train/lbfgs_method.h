/* SPDX-License-Identifier: MIT
 *
 * L-BFGS (Liu and Nocedal, 1989) by liblbfgs, on all training samples. Softmax loss only: the hinge
 * loss has no second derivative to estimate. */
#ifndef DOWNHILL_TRAIN_LBFGS_METHOD_H
#define DOWNHILL_TRAIN_LBFGS_METHOD_H

#include "method.h"

typedef struct lbfgs_options {
    size_t iterations; /* maximum number */
    /* converged once ‖gradient‖ / max(1, ‖weights‖) is below this */
    double tolerance;
} lbfgs_options;

/* Trains from W = 0. `why_ended` of the result says that it has converged, or why no step lowers
 * the loss any more. Returns an exit code. */
int lbfgs_train(const problem *p, const lbfgs_options *options, const method_events *events,
                method_result *result);

#endif
