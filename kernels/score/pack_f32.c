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

/* Packs short rows feature by feature, the weights of `width` classes next to each other, and these groups of classes one
 * after the other. Zeros complete the features and the last group. */
static void pack_short(size_t d, size_t c, const float *w, size_t ldw, size_t features,
                       size_t width, float *packed)
{
    memset(packed, 0, (c + width - 1) / width * width * features * sizeof *packed);
    for (size_t j = 0; j < c; j++) {
        float *to = packed + j / width * width * features + j % width;
        for (size_t k = 0; k < d; k++)
            to[k * width] = w[j * ldw + k];
    }
}

void downhill_pack_short_x8_f32(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack_short(d, c, w, ldw, short_features(d), SHORT_WEIGHTS_X8 / short_features(d), packed);
}

void downhill_pack_short_x16_f32(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack_short(d, c, w, ldw, short_features(d), SHORT_WEIGHTS_X16 / short_features(d), packed);
}
