/* SPDX-License-Identifier: MIT
 *
 * Update of the weights in f32; packed_u8.h has that of bytes, which packs them as well. */
#ifndef DOWNHILL_WEIGHT_UPDATE_H
#define DOWNHILL_WEIGHT_UPDATE_H

#include "isa/kernels.h"

/* w = decay·w - step·dw, b = b - step·db. */
void downhill_weight_update(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                            const downhill_weights_f32 *grad, float decay, float step);

#endif
