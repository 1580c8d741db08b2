/* SPDX-License-Identifier: MIT
 *
 * Conversion to bf16. */
#include "downhill.h"
#include "isa/arithmetic.h"

#include <string.h>

void downhill_bf16_from_f32(size_t count, const float *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16;
        /* A quiet NaN, whose payload might otherwise be rounded away or into an infinity. */
        to[i] = (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16 | 0x40u) : rounded);
    }
}
