/* SPDX-License-Identifier: MIT
 *
 * Packs weights in f32. The layout is a sequence of groups of 8 features. A group holds these features of the
 * first class, then those of the second class, and so on. */
#include "isa/kernels.h"

#include <string.h>

/* Zeros after the last feature complete the last group. */
void downhill_pack_f32(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    enum { LANES = 8 };
    for (size_t k = 0; k < d; k += LANES)
        for (size_t j = 0; j < c; j++, packed += LANES) {
            if (k + LANES <= d) {
                memcpy(packed, w + j * ldw + k, LANES * sizeof *packed);
            } else {
                memset(packed, 0, LANES * sizeof *packed);
                memcpy(packed, w + j * ldw + k, (d - k) * sizeof *packed);
            }
        }
}
