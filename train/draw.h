/* SPDX-License-Identifier: MIT
 *
 * Random weights that are the same on every machine. */
#ifndef DOWNHILL_TRAIN_DRAW_H
#define DOWNHILL_TRAIN_DRAW_H

#include "base/rng.h"
#include "problem.h"

/* Draws two numbers of mean 0 and variance 1, by the polar method (Marsaglia and Bray, 1964). */
void draw_normal_pair(rng *r, double pair[2]);

/* Draws weights and biases of standard deviation `scale` in the space of normalised features, class
 * by class, the bias of a class after its weights. Converts them to the space of the model
 * (method_weight_scale()) and, if `from` is not NULL, adds them to it. Each `number` of a seed
 * gives an independent draw. */
void draw_weights(const problem *p, uint64_t seed, size_t number, float scale,
                  const downhill_weights_f32 *from, const downhill_weights_f32 *to);

#endif
