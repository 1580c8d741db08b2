/* SPDX-License-Identifier: MIT
 *
 * Reference for the objective of training and its gradient, in f64. Weights of FEATURES_U8 are
 * rounded to 16 bits, as downhill.h defines. */
#ifndef DOWNHILL_TESTS_TRAINER_REFERENCE_H
#define DOWNHILL_TESTS_TRAINER_REFERENCE_H

#include "train/model.h"
#include "train/problem.h"

typedef struct reference {
    double loss;  /* mean loss plus penalty */
    double bound; /* maximum error of a loss in f32, or with terms rounded to DOWNHILL_LOSS_UNIT */
    double accuracy;
} reference;

/* Computes loss, bound and accuracy for given weights. */
reference reference_at(const problem *p, const samples *s, const downhill_weights_f32 *w);

/* Computes the gradient with respect to the weights of normalised features: c × (d + 1), the
 * biases last. */
void reference_gradient(const problem *p, const samples *s, const downhill_weights_f32 *w,
                        double *gradient);

#endif
