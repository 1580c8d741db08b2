/* SPDX-License-Identifier: MIT
 *
 * Checks the gradient of a kernel table against centred differences of a loss in f64 that shares no
 * code with the library. */
#ifndef DOWNHILL_TRAIN_GRADCHECK_H
#define DOWNHILL_TRAIN_GRADCHECK_H

#include "problem.h"

enum { GRADCHECK_SAMPLES_MAX = 4096 };

typedef struct gradcheck_options {
    size_t samples;     /* of the training set, drawn at random */
    size_t coordinates; /* of W and b, drawn at random; SIZE_MAX: all */
    double h;           /* in units of the weights of normalised features */
    float scale;        /* standard deviation of the random weights, in the same units */
    double tolerance;   /* maximum relative error; used by worst_step */
    uint64_t seed;
} gradcheck_options;

/* A coordinate is weight k of class j, or its bias if k = d. */
typedef struct gradcheck_result {
    size_t checked;
    /* coordinates not checked, since some margin changes its sign within ±h and there is no
     * derivative to compare with */
    size_t kinks;
    /* Maximum of |analytic - numerical| / (sum of the magnitudes of the terms of the analytic
     * gradient, one per sample and one for the penalty, plus the rounding error of the losses
     * divided by the tolerance), and the coordinate that has it. */
    double worst;
    size_t worst_class, worst_feature;
    double worst_analytic, worst_numerical;
    /* A training step with all these samples in one minibatch, penalty and threads included: the
     * maximum over all coordinates, kinks included, of the distance between where it ends and where
     * the gradient compared above leads, divided by the bound on the roundings; and the coordinate
     * that has it. Above 1: wrong. */
    double worst_step;
    size_t step_class, step_feature;
} gradcheck_result;

/* Checks the gradient of the mean loss with the penalty, computed by p->kernels, at random weights
 * of 16 bits, which training on bytes represents exactly. The gradient is summed over eight samples
 * at a time and then in f64, so that the formula is compared and not the rounding of a long sum. At
 * most GRADCHECK_SAMPLES_MAX samples. Returns EXIT_OK, whatever was found, or prints a line and
 * returns EXIT_INTERNAL. Once *p->stop is not 0 it returns early, and the result is incomplete. */
int gradcheck_run(const problem *p, const gradcheck_options *options, gradcheck_result *result);

#endif
