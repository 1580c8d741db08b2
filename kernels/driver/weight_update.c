/* SPDX-License-Identifier: MIT */
#include "driver/weight_update.h"

struct update_factors downhill_update_factors(const downhill_sgd *sgd, size_t n)
{
    float decayed = sgd->learning_rate * sgd->weight_decay;
    DOWNHILL_ROUND(decayed);
    return (struct update_factors){1.0f - decayed, sgd->learning_rate / (float)n};
}

void downhill_weight_update(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                            const downhill_gradient_f32 *grad, struct update_factors factors,
                            float bias_decay)
{
    for (size_t j = 0; j < weights->c; j++)
        kernels->update_f32(weights->d, factors.decay, factors.step, grad->dw + j * grad->lddw,
                            weights->w + j * weights->ldw);
    if (weights->b != NULL)
        kernels->update_f32(weights->c, bias_decay, factors.step, grad->db, weights->b);
}
