/* SPDX-License-Identifier: MIT
 *
 * Weights of f32 and bf16 batches, packed panel by panel for the scores. */
#ifndef DOWNHILL_PACKING_H
#define DOWNHILL_PACKING_H

#include "isa/kernels.h"

/* Features of a packed row, zeros at its end included. */
static inline size_t packed_ld(size_t d)
{
    return (d + PACK_GROUP - 1) / PACK_GROUP * PACK_GROUP;
}

/* Packs all weights into c × packed_ld(d) floats: the panel of classes j … starts at packed + j·packed_ld(d). */
void downhill_pack_weights(const struct downhill_packing *packing,
                           const downhill_weights_f32 *weights, float *packed);

#endif
