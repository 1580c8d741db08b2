/* SPDX-License-Identifier: MIT
 *
 * Is the gradient that a variant derives that of the loss? Against centred differences of a loss in f64 that is
 * written down apart from everything else here. */
#ifndef DOWNHILL_TRAIN_GRADCHECK_H
#define DOWNHILL_TRAIN_GRADCHECK_H

#include "problem.h"

enum { GRADCHECK_SAMPLES_MAX = 4096 };

typedef struct gradcheck_options {
    size_t samples;     /* of the training set, drawn at random */
    size_t coordinates; /* of W and b, drawn at random; SIZE_MAX: all */
    double h;           /* in units of the weights of normalised features */
    float scale;        /* standard deviation of these weights, which are random */
    double tolerance;   /* what relative error is right; for worst_step */
    uint64_t seed;
} gradcheck_options;

/* A coordinate: weight k of class j, or its bias, where k is d. */
typedef struct gradcheck_result {
    size_t checked;
    size_t
        kinks; /* coordinates that some margin changes its sign for within ±h: there is no derivative to compare with,
                     and they are not checked */
    /* |analytic - numerical| over the sum of the magnitudes of the terms of the analytic one, each sample being one and
     * the penalty another: what the sums could be told apart by if they did not cancel; and over what the rounding of
     * the losses comes to by the tolerance. The largest of all coordinates, and where it is. */
    double worst;
    size_t worst_class, worst_feature;
    double worst_analytic, worst_numerical;
    /* A step of training with all these samples in one minibatch, penalty and threads included: how far it ends from
     * where the gradient that is compared above leads, as a share of what the roundings on the way may come to. The
     * largest of all coordinates, kinks among them, and where it is; above 1: wrong. */
    double worst_step;
    size_t step_class, step_feature;
} gradcheck_result;

/* The gradient by p->kernels of the mean loss with the penalty, at random weights of 16 bits, which bytes have exactly.
 * It is summed over eight samples at a time and then in f64, so that what is compared is the formula
 * and not the length of a sum. At most GRADCHECK_SAMPLES_MAX samples. Returns EXIT_OK, whatever was found, or prints a
 * line and returns EXIT_INTERNAL. Once *p->stop is not 0 it returns early, and the result is incomplete. */
int gradcheck_run(const problem *p, const gradcheck_options *options, gradcheck_result *result);

#endif
