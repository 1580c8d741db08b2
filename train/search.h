/* SPDX-License-Identifier: MIT
 *
 * The two searches without a gradient of the CS231n notes on optimisation. */
#ifndef DOWNHILL_TRAIN_SEARCH_H
#define DOWNHILL_TRAIN_SEARCH_H

#include "method.h"

typedef struct search_options {
    size_t tries;
    float
        scale; /* standard deviation of the weights and biases that are drawn: of each try (random search), of the
                    first (local search) */
    float step; /* local search: that of what is added to them */
    uint64_t seed;
} search_options;

/* Draws W and b anew for each try and keeps the best. Many tries are evaluated in one pass over the features. */
int random_search(const problem *p, const search_options *options, const method_events *events,
                  method_result *result);

/* From random weights, adds a random step to all of them and keeps what lowers the loss. Try t needs what came
 * of try t-1, so each is a pass over the features. */
int local_search(const problem *p, const search_options *options, const method_events *events,
                 method_result *result);

#endif
