/* SPDX-License-Identifier: MIT
 *
 * Loss and dscores of one block of samples. */
#ifndef DOWNHILL_BLOCK_LOSS_H
#define DOWNHILL_BLOCK_LOSS_H

#include "driver/block.h"

/* Overwrites the scores of f32 and bf16 with the dscores. Returns the sum of the losses. */
double downhill_block_loss(const downhill_kernels *kernels, const struct block *block, size_t c,
                           downhill_loss loss, float *scores, size_t lds);

/* Computes loss and dscores of n rows of exact scores. Returns the loss in multiples of DOWNHILL_LOSS_UNIT. */
double downhill_loss_units_u8(const downhill_kernels *kernels, downhill_loss loss, size_t n,
                              size_t c, const double *scores, size_t lds, const int32_t *y,
                              int16_t *dscores, size_t ldds);

/* Computes loss and dscores of a block from the exact scores of bytes. Returns the sum of the losses. */
double downhill_block_loss_u8(const downhill_kernels *kernels, const struct block *block, size_t c,
                              downhill_loss loss, const double *scores, size_t lds,
                              int16_t *dscores, size_t ldds);

/* Removes the samples without a violated margin from a block after the hinge loss, and their rows from the dscores. All
 * dscores of such a sample are 0. Late in training most samples are like that, and each saves half of its work.
 * bytes: size of a dscore. */
void downhill_drop_satisfied(struct block *block, size_t c, void *dscores, size_t bytes,
                             size_t ldds);

#endif
