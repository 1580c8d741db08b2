/* SPDX-License-Identifier: MIT
 *
 * The two gradient-free searches of the CS231n notes on optimisation. */
#ifndef DOWNHILL_TRAIN_SEARCH_H
#define DOWNHILL_TRAIN_SEARCH_H

#include "method.h"

typedef struct search_options {
    size_t tries;
    /* standard deviation of the weights and biases: of each try (random search) or of the start
     * (local search) */
    float scale;
    float step; /* local search: standard deviation of a step */
    uint64_t seed;
} search_options;

/* Draws W and b anew for each try and keeps the best. Many tries are evaluated in one pass over the
 * features. Returns an exit code. */
int random_search(const problem *p, const search_options *options, const method_events *events,
                  method_result *result);

/* Starts from random weights, adds a random step to all of them and keeps it if it lowers the loss.
 * Try t depends on the outcome of try t-1, so each try is a pass over the features. Returns an exit
 * code. */
int local_search(const problem *p, const search_options *options, const method_events *events,
                 method_result *result);

#endif
