/* SPDX-License-Identifier: MIT
 *
 * What a step makes of the gradient. All of it is done by updates of the library, each the same bits on every
 * level; so a model that is trained on bytes stays the same everywhere with momentum too.
 *
 * With g = ∇(mean loss) + 2λW (the bias has no penalty), momentum μ and learning rate η
 *
 *   plain      W ← W - η·g
 *   momentum   V ← μV + g,   W ← W - η·V            (Polyak, 1964)
 *   Nesterov   V ← μV + g,   W ← W - η·(g + μV)     (as Sutskever et al., 2013, with the gradient at W) */
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
    downhill_weights_f32 velocity; /* V, from 0; not of OPTIMISER_PLAIN */
} optimiser;

/* false: no memory. */
bool optimiser_open(optimiser_rule rule, float momentum, size_t d, size_t c, optimiser *o);
void optimiser_close(optimiser *o);

/* A step on the n samples in these rows, with n_next of those of the next step behind them. */
downhill_status optimiser_step(const optimiser *o, model *m, const size_t *rows, size_t n,
                               size_t n_next, downhill_loss loss, float reg, float lr,
                               double *loss_sum, downhill_profile *profile);

#endif
