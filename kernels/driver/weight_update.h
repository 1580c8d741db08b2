/* SPDX-License-Identifier: MIT
 *
 * Update of the weights in f32. packed_u8.h has that of bytes, which packs them as well. */
#ifndef DOWNHILL_WEIGHT_UPDATE_H
#define DOWNHILL_WEIGHT_UPDATE_H

#include "isa/kernels.h"

/* w ← decay·w - step·dw, b ← b - step·db. */
struct update_factors {
    float decay, step;
};

/* Returns the factors of an update by a sum over n samples: 1 - η·λ and η/n. */
struct update_factors downhill_update_factors(const downhill_sgd *sgd, size_t n);

/* Updates the weights. bias_decay is the factor of b: 1 for a step, beta for downhill_axpby_f32(). */
void downhill_weight_update(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                            const downhill_gradient_f32 *grad, struct update_factors factors,
                            float bias_decay);

#endif
