/* SPDX-License-Identifier: MIT
 *
 * Gradient descent by finite differences: the cost of a gradient without a formula. */
#ifndef DOWNHILL_TRAIN_NUMERICAL_H
#define DOWNHILL_TRAIN_NUMERICAL_H

#include "method.h"

typedef struct numerical_options {
    /* true: (L(w+h) - L(w-h)) / 2h; false: (L(w+h) - L(w)) / h */
    bool centred;
    float h;
    size_t coordinates; /* of W and b, drawn anew for each step; SIZE_MAX: all */
    size_t batch;       /* samples per step */
    size_t steps;
    float lr;
    uint64_t seed;
} numerical_options;

/* Cost of a numerical step compared with an analytic gradient. */
typedef struct numerical_cost {
    size_t coordinates, evaluations; /* per step */
    /* mean per step: numerical for `coordinates` coordinates, analytic for all */
    double numerical_s, analytic_s;
    double ratio; /* numerical / analytic time, both for all coordinates */
    /* maximum over all steps of ‖numerical - analytic‖ / ‖analytic‖ */
    double difference;
} numerical_cost;

/* Trains from W = 0, on f32 features. Losses are computed in f32, so h should not be much below the
 * default of 1e-3. Returns an exit code. */
int numerical_train(const problem *p, const numerical_options *options, const method_events *events,
                    method_result *result, numerical_cost *cost);

#endif
