/* SPDX-License-Identifier: MIT
 *
 * Results shared by the training methods other than SGD: a sequence of points, each with the loss
 * reached there, and the final weights. */
#ifndef DOWNHILL_TRAIN_METHOD_H
#define DOWNHILL_TRAIN_METHOD_H

#include "evaluate.h"
#include "model.h"
#include "problem.h"

typedef struct method_point {
    size_t number; /* try, step or iteration, from 1; 0: start of a local search */
    /* evaluations of the loss so far, each on all samples that the method uses for one */
    size_t evaluations;
    double seconds;       /* so far, without the evaluation of accuracies */
    double loss;          /* objective: mean loss of the samples plus penalty */
    double test_accuracy; /* NaN: not evaluated */
} method_point;

typedef struct method_result {
    downhill_weights_f32 weights;
    method_point *points;
    size_t n_points, points_room;
    size_t tried, evaluations; /* tries, steps or iterations in all */
    double seconds;
    double test_accuracy;           /* at the end; NaN if interrupted */
    char digest[MODEL_DIGEST_TEXT]; /* of the weights; "" if interrupted */
    bool interrupted;
    const char *why_ended; /* NULL: it ran all requested tries, steps or iterations */
    char failed[PROBLEM_FAILURE_TEXT];
} method_result;

typedef struct method_events {
    void (*point)(const method_point *point, void *context); /* called for each point */
    void *context;
} method_events;

/* Allocates the weights, all 0. Prints a line and returns false if memory is short. */
bool method_open(const problem *p, method_result *result);
void method_free(method_result *result);

/* Appends a point to the result and reports it. Prints a line and returns false if memory is
 * short. */
bool method_add(const method_events *events, method_result *result, method_point point);

/* Returns the factor from weights of normalised feature k to weights of the model: 1, or the scale
 * of the feature with FEATURES_U8, whose weights are for bytes. */
float method_weight_scale(const problem *p, size_t k);

/* Returns reg·‖W‖², with W for normalised features. */
double method_penalty(const problem *p, const downhill_weights_f32 *weights);

/* Computes test accuracy and digest of the weights, unless the run is interrupted. *e must stop at
 * p->stop. Returns an exit code. */
int method_finish(const problem *p, evaluator *e, method_result *result);

#endif
