/* SPDX-License-Identifier: MIT
 *
 * Scores of one block of samples. */
#ifndef DOWNHILL_BLOCK_SCORE_H
#define DOWNHILL_BLOCK_SCORE_H

#include "driver/block.h"

struct packed_u8;

/* scores = X Wᵀ + b for f32 and bf16. packed: W packed by downhill_pack_weights() if the plan packs it once, else
 * NULL. */
void downhill_block_score(const downhill_kernels *kernels, const struct plan *plan,
                          const struct block *block, const downhill_weights_f32 *weights,
                          const float *packed, float *scores, size_t lds,
                          struct prefetch *prefetch);

/* Computes the exact scores of bytes. */
void downhill_block_score_u8(const struct plan *plan, const struct packed_u8 *packed,
                             const struct block *block, double *scores, size_t lds);

#endif
