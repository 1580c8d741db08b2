/* SPDX-License-Identifier: MIT
 *
 * Gradient of one block of samples. */
#ifndef DOWNHILL_BLOCK_GRAD_H
#define DOWNHILL_BLOCK_GRAD_H

#include "driver/block.h"

/* grad = dscoresᵀ X and the sums of dscores for f32 and bf16, or added to what is there. */
void downhill_block_grad(const downhill_kernels *kernels, const struct plan *plan,
                         const struct block *block, const float *dscores, size_t ldds,
                         int accumulate, const downhill_gradient_f32 *grad,
                         struct prefetch *prefetch);

/* grad = dscoresᵀ X and the sums of dscores for bytes, or added to what is there. */
void downhill_block_grad_u8(const downhill_kernels *kernels, const struct plan *plan,
                            const struct block *block, const int16_t *dscores, size_t ldds,
                            int accumulate, const downhill_gradient_u8 *grad,
                            struct prefetch *prefetch);

#endif
