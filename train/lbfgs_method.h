/* SPDX-License-Identifier: MIT
 *
 * L-BFGS (Liu and Nocedal, 1989) by liblbfgs, on all training samples, for the softmax loss; the hinge loss has no
 * second derivative to estimate. */
#ifndef DOWNHILL_TRAIN_LBFGS_METHOD_H
#define DOWNHILL_TRAIN_LBFGS_METHOD_H

#include "method.h"

typedef struct lbfgs_options {
    size_t iterations; /* at most */
    double
        tolerance; /* of the gradient's norm, in that of the weights: what counts as the minimum */
} lbfgs_options;

/* From W = 0. `why_ended` of the result says when it has converged, or why no step lowers the loss any more.
 * Returns an exit code. */
int lbfgs_train(const problem *p, const lbfgs_options *options, const method_events *events,
                method_result *result);

#endif
