/* SPDX-License-Identifier: MIT
 *
 * Checks whether the features are too large for the learning rate, and suggests a remedy. */
#ifndef DOWNHILL_TRAIN_SCALE_H
#define DOWNHILL_TRAIN_SCALE_H

#include "problem.h"

/* Returns the mean squared norm of the normalised features of up to 1024 training samples, evenly
 * spread; NaN if memory is short. */
double scale_mean_square(const problem *p);

/* Returns whether a step at this learning rate is so long that training is not expected to
 * converge. `mean_square` is the result of scale_mean_square(). */
bool scale_is_too_large(const problem *p, double mean_square, float lr);

enum { SCALE_REMEDY_TEXT = 96 };

/* Writes the option that replaces a learning rate that was too large: "--normalize standardize" if
 * the scale of the features is the cause, else a smaller --lr. Returns `text`. */
const char *scale_remedy(const problem *p, float lr, char text[SCALE_REMEDY_TEXT]);

#endif
