/* SPDX-License-Identifier: MIT
 *
 * Sums of the gradient of bytes: how many samples 32 bits hold, and totals of more samples in f64. */
#ifndef DOWNHILL_EXACT_SUMS_H
#define DOWNHILL_EXACT_SUMS_H

#include "isa/kernels.h"

/* Returns the number of samples whose gradient of this loss is sure to fit 32 bits: at least BLOCK_ROWS_MAX. */
size_t downhill_samples_of_sums(downhill_loss loss, size_t c);

/* Sets the totals to the sums, or adds the sums to them. */
void downhill_add_to_totals(const downhill_gradient_u8 *sums, int accumulate,
                            const downhill_gradient_f64 *totals);

#endif
