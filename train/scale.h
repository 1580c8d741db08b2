/* SPDX-License-Identifier: MIT
 *
 * Checks whether the features are too large for the learning rate, and names what to change then. */
#ifndef DOWNHILL_TRAIN_SCALE_H
#define DOWNHILL_TRAIN_SCALE_H

#include "problem.h"

/* Returns the mean squared norm of the normalised features of up to 1024 training samples, evenly spread; NaN if memory is
 * short. */
double scale_mean_square(const problem *p);

/* Returns whether a step at this learning rate is so long that training cannot be expected to settle. `mean_square` is that
 * of scale_mean_square(). */
bool scale_is_too_large(const problem *p, double mean_square, float lr);

enum { SCALE_REMEDY_TEXT = 96 };

/* Writes what to give instead where the learning rate was too large: "--normalize standardize" where the scale of the
 * features is to blame, else a learning rate that goes with it. */
const char *scale_remedy(const problem *p, float lr, char text[SCALE_REMEDY_TEXT]);

#endif
