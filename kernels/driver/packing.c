/* SPDX-License-Identifier: MIT */
#include "driver/packing.h"

#include "simd/tiles.h"

void downhill_pack_weights(const struct downhill_packing *packing,
                           const downhill_weights_f32 *weights, float *packed)
{
    for (size_t j = 0, classes; j < weights->c; j += classes) {
        classes = next_tile(weights->c - j, packing->classes);
        packing->pack(weights->d, classes, weights->w + j * weights->ldw, weights->ldw,
                      packed + j * packed_ld(weights->d));
    }
}
