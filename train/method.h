/* SPDX-License-Identifier: MIT
 *
 * What the methods other than stochastic gradient descent have in common: a course of points, each with the
 * loss that it has come down to, and weights at its end. */
#ifndef DOWNHILL_TRAIN_METHOD_H
#define DOWNHILL_TRAIN_METHOD_H

#include "evaluate.h"
#include "model.h"
#include "problem.h"

typedef struct method_point {
    size_t number; /* of the try, the step, the iteration, from 1; 0: where a local search begins */
    size_t evaluations;   /* of the loss so far, each on all samples that it was asked for */
    double seconds;       /* so far, without the evaluation of accuracies */
    double loss;          /* the objective: the mean loss of the samples, with the penalty */
    double test_accuracy; /* NaN: not taken */
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
    const char *why_ended; /* NULL: it did what was asked */
    char failed[PROBLEM_FAILURE_TEXT];
} method_result;

typedef struct method_events {
    void (*point)(const method_point *point, void *context); /* as it comes */
    void *context;
} method_events;

/* Room for the weights, all 0. false, with a line printed: no memory. */
bool method_open(const problem *p, method_result *result);
void method_free(method_result *result);

/* Keeps and reports a point. false: no memory. */
bool method_add(const method_events *events, method_result *result, method_point point);

/* The weights as the model of the same problem has them: those of FEATURES_U8 are for bytes. */
float method_weight_scale(const problem *p, size_t k);

/* λ‖W‖², of the W of normalised features. */
double method_penalty(const problem *p, const downhill_weights_f32 *weights);

/* Accuracy and digest of the weights, unless the run was interrupted or is now. *e stops at p->stop. Returns an exit
 * code. */
int method_finish(const problem *p, evaluator *e, method_result *result);

#endif
