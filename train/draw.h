/* SPDX-License-Identifier: MIT
 *
 * Random weights, the same on every machine. */
#ifndef DOWNHILL_TRAIN_DRAW_H
#define DOWNHILL_TRAIN_DRAW_H

#include "base/rng.h"
#include "problem.h"

/* Two numbers of mean 0 and variance 1, by the polar method (Marsaglia and Bray, 1964). */
void draw_normal_pair(rng *r, double pair[2]);

/* Weights and biases of that standard deviation in the space of normalised features, class by class, each with its bias
 * behind its weights; in the space of the model (method_weight_scale()), and added to `from` if that is not NULL. Each
 * `number` of a seed is a draw of its own. */
void draw_weights(const problem *p, uint64_t seed, size_t number, float scale,
                  const downhill_weights_f32 *from, const downhill_weights_f32 *to);

#endif
