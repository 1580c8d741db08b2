/* SPDX-License-Identifier: MIT
 *
 * The loss along a direction, or two, in the space of weights. Scores are linear in them,
 *
 *     S(W + a·U + b·V) = S(W) + a·S(U) + b·S(V),
 *
 * so that one pass over the features, with W, U and V as the classes of one matrix, serves every point; each then costs
 * what the loss of its scores does, 2·d times less than the scores. */
#ifndef DOWNHILL_TRAIN_LANDSCAPE_H
#define DOWNHILL_TRAIN_LANDSCAPE_H

#include "evaluate.h"
#include "problem.h"

enum { LANDSCAPE_DIRECTIONS_MAX = 2 };

typedef struct landscape_point {
    double a[LANDSCAPE_DIRECTIONS_MAX]; /* how far along each direction */
    double loss; /* the mean over the samples, with the penalty: the result */
} landscape_point;

/* The losses at `count` points around the weights `sets`[0], along sets[1] … sets[directions], all of c classes and in
 * the space of the model (of FEATURES_U8: for bytes). Scores are added up in f64, and the hinge loss is taken of
 * these; that of softmax of their rounding to f32. The same bits for any number of threads. Returns EXIT_OK, or an exit
 * code after a line; *done is false if it was interrupted, with nothing to show. */
int landscape_losses(const problem *p, const samples *s, const downhill_weights_f32 *sets,
                     size_t directions, landscape_point *points, size_t count, bool *done);

#endif
