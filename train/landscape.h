/* SPDX-License-Identifier: MIT
 *
 * The loss along one or two directions in the space of weights. Scores are linear in the weights,
 *
 *     S(W + a·U + b·V) = S(W) + a·S(U) + b·S(V),
 *
 * so one pass over the features, with W, U and V as the classes of one matrix, serves all points.
 * Each further point costs only the loss of its scores, 2·d times less than computing scores. */
#ifndef DOWNHILL_TRAIN_LANDSCAPE_H
#define DOWNHILL_TRAIN_LANDSCAPE_H

#include "evaluate.h"
#include "problem.h"

enum { LANDSCAPE_DIRECTIONS_MAX = 2 };

typedef struct landscape_point {
    double a[LANDSCAPE_DIRECTIONS_MAX]; /* coordinate along each direction */
    double loss;                        /* result: mean over the samples, with the penalty */
} landscape_point;

/* Computes the losses at `count` points around the weights sets[0], along sets[1] …
 * sets[directions], all of c classes and in the space of the model (FEATURES_U8: weights for
 * bytes). Scores are added up in f64; the hinge loss is computed from them in f64, softmax from the
 * scores rounded to f32. The results are the same bits for any number of threads. Returns EXIT_OK,
 * or prints a line and returns another exit code. If *done is false, the run was interrupted and
 * the losses are undefined. */
int landscape_losses(const problem *p, const samples *s, const downhill_weights_f32 *sets,
                     size_t directions, landscape_point *points, size_t count, bool *done);

#endif
