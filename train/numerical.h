/* SPDX-License-Identifier: MIT
 *
 * Gradient descent by finite differences: what the gradient costs for whoever cannot derive it. */
#ifndef DOWNHILL_TRAIN_NUMERICAL_H
#define DOWNHILL_TRAIN_NUMERICAL_H

#include "method.h"

typedef struct numerical_options {
    bool centred; /* (L(w+h) - L(w-h)) / 2h, or (L(w+h) - L(w)) / h */
    float h;
    size_t coordinates; /* of W and b, drawn again for each step; SIZE_MAX: all */
    size_t batch;       /* samples of a step */
    size_t steps;
    float lr;
    uint64_t seed;
} numerical_options;

/* What a step cost, beside the gradient that is derived. */
typedef struct numerical_cost {
    size_t coordinates, evaluations; /* of one step */
    double numerical_s,
        analytic_s; /* of a step, on average: of these coordinates, and of all of them */
    double ratio;   /* of the times for all coordinates */
    double
        difference; /* ‖numerical - analytic‖ / ‖analytic‖ over the coordinates, the largest of all steps */
} numerical_cost;

/* From W = 0, on features of f32. Losses are taken in f32, so h should not be much below the default of 1e-3. Returns an
 * exit code. */
int numerical_train(const problem *p, const numerical_options *options, const method_events *events,
                    method_result *result, numerical_cost *cost);

#endif
