/* SPDX-License-Identifier: MIT
 *
 * Layouts of packed weights in f32: for each 8, or 16, features those of the first class, of the second, and so on. */
#include "isa/kernels.h"

#include <string.h>

/* Zeros after the last feature let the last group be whole. */
static inline void pack(const size_t lanes, size_t d, size_t c, const float *w, size_t ldw,
                        float *packed)
{
    for (size_t k = 0; k < d; k += lanes)
        for (size_t j = 0; j < c; j++, packed += lanes) {
            if (k + lanes <= d) {
                memcpy(packed, w + j * ldw + k, lanes * sizeof *packed);
            } else {
                memset(packed, 0, lanes * sizeof *packed);
                memcpy(packed, w + j * ldw + k, (d - k) * sizeof *packed);
            }
        }
}

void downhill_pack_f32x8(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack(8, d, c, w, ldw, packed);
}

void downhill_pack_f32x16(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack(16, d, c, w, ldw, packed);
}
