/* SPDX-License-Identifier: MIT
 *
 * Update rules. All of them use the library's updates, which give the same bits on every ISA level,
 * so a model trained on bytes is the same everywhere with momentum too.
 *
 * With g = ∇(mean loss) + 2·reg·W (no penalty on the bias), momentum μ and learning rate η:
 *
 *   plain      W ← W - η·g
 *   momentum   V ← μV + g,   W ← W - η·V            (Polyak, 1964)
 *   Nesterov   V ← μV + g,   W ← W - η·(g + μV)     (Sutskever et al., 2013, gradient at W) */
#ifndef DOWNHILL_TRAIN_OPTIMISER_H
#define DOWNHILL_TRAIN_OPTIMISER_H

#include "model.h"

typedef enum optimiser_rule {
    OPTIMISER_PLAIN,
    OPTIMISER_MOMENTUM,
    OPTIMISER_NESTEROV
} optimiser_rule;

typedef struct optimiser {
    optimiser_rule rule;
    float momentum;
    downhill_weights_f32 velocity; /* V, initially 0; unused with OPTIMISER_PLAIN */
} optimiser;

/* Returns false if memory is short. */
bool optimiser_open(optimiser_rule rule, float momentum, size_t d, size_t c, optimiser *o);
void optimiser_close(optimiser *o);

/* Trains one step on the n samples in `rows`. The n_next row numbers after them are those of the
 * next step. */
downhill_status optimiser_step(const optimiser *o, model *m, const size_t *rows, size_t n,
                               size_t n_next, downhill_loss loss, float reg, float lr,
                               double *loss_sum, downhill_profile *profile);

#endif
