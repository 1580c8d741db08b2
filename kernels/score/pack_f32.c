/* SPDX-License-Identifier: MIT
 *
 * Packs weights in f32. */
#include "isa/kernels.h"

#include <string.h>

/* Packs groups of 8 features. A group holds these features of the first class, then those of the second class, and
 * so on. Zeros after the last feature complete the last group. */
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

/* Packs at most 8 features of at most 16 classes feature by feature: the weights of 8 classes, or of 16 if there are more
 * than 8, and zeros up to 4 or 8 features. */
void downhill_pack_short_f32(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    const size_t features = d <= 4 ? 4 : 8, classes = c <= 8 ? 8 : 16;
    memset(packed, 0, features * classes * sizeof *packed);
    for (size_t j = 0; j < c; j++)
        for (size_t k = 0; k < d; k++)
            packed[k * classes + j] = w[j * ldw + k];
}
