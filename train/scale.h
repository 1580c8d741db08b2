/* SPDX-License-Identifier: MIT
 *
 * How large the features are beside the learning rate, and what to change where they do not go together. */
#ifndef DOWNHILL_TRAIN_SCALE_H
#define DOWNHILL_TRAIN_SCALE_H

#include "problem.h"

/* Returns the mean over the training samples, of which up to 1024 spread evenly are looked at, of the squared norm of
 * the normalised features. NaN: out of memory. */
double scale_mean_square(const problem *p);

/* Is a step at this learning rate so long that training cannot be expected to settle? `mean_square` is that of
 * scale_mean_square(). */
bool scale_is_too_large(const problem *p, double mean_square, float lr);

enum { SCALE_REMEDY_TEXT = 96 };

/* Writes what to give instead where the learning rate was too large: "--normalize standardize" where the scale of the
 * features is to blame, else a learning rate that goes with it. */
const char *scale_remedy(const problem *p, float lr, char text[SCALE_REMEDY_TEXT]);

#endif
