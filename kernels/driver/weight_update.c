/* SPDX-License-Identifier: MIT */
#include "driver/weight_update.h"

void downhill_weight_update(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                            const downhill_weights_f32 *grad, float decay, float step)
{
    for (size_t j = 0; j < weights->c; j++)
        kernels->update_f32(weights->d, decay, step, grad->w + j * grad->ldw,
                            weights->w + j * weights->ldw);
    if (weights->b != NULL)
        kernels->update_f32(weights->c, 1.0f, step, grad->b, weights->b);
}
