/* SPDX-License-Identifier: MIT
 *
 * Gradient of one block of samples. */
#ifndef DOWNHILL_BLOCK_GRAD_H
#define DOWNHILL_BLOCK_GRAD_H

#include "driver/block.h"

/* Computes dW = dscoresᵀ X and db = Σ dscores for f32 and bf16; adds them to grad if accumulate. */
void downhill_block_grad(const downhill_kernels *kernels, const struct plan *plan,
                         const struct block *block, const float *dscores, size_t ldds,
                         int accumulate, const downhill_gradient_f32 *grad,
                         struct prefetch *prefetch);

/* Computes the same exact sums for bytes. wide: many dscores may exceed a signed byte, as those of softmax do. */
void downhill_block_grad_u8(const downhill_kernels *kernels, const struct plan *plan,
                            const struct block *block, int wide, const int16_t *dscores,
                            size_t ldds, int accumulate, const downhill_gradient_u8 *grad);

#endif
