/* SPDX-License-Identifier: MIT
 *
 * Packs weights in f32. The layout is a sequence of groups of 8 or 16 features. A group holds these features of the
 * first class, then those of the second class, and so on. */
#include "isa/kernels.h"

#include <string.h>

/* Packs groups of `lanes` features. Zeros after the last feature complete the last group. */
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
