/* SPDX-License-Identifier: MIT
 *
 * The objective of training and its gradient in f64, written down from the formulas. Weights of FEATURES_U8 are rounded to
 * 16 bits as downhill.h says. */
#ifndef DOWNHILL_TESTS_TRAINER_REFERENCE_H
#define DOWNHILL_TESTS_TRAINER_REFERENCE_H

#include "train/model.h"
#include "train/problem.h"

typedef struct reference {
    double loss; /* mean loss and penalty */
    double
        bound; /* how far what is computed in f32, or with losses rounded to DOWNHILL_LOSS_UNIT, may be from it */
    double accuracy;
} reference;

reference reference_at(const problem *p, const samples *s, const downhill_weights_f32 *w);

/* In the space of normalised features: c × (d + 1), the biases last. */
void reference_gradient(const problem *p, const samples *s, const downhill_weights_f32 *w,
                        double *gradient);

#endif
