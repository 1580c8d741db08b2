/* SPDX-License-Identifier: MIT
 *
 * How parts are laid out in memory that a caller gives: one after another, each from a cache line on, so that no vector
 * of a row straddles two. Laid out at address 0, the end of the last part is the size of the whole. */
#ifndef DOWNHILL_CARVE_H
#define DOWNHILL_CARVE_H

#include "simd/prefetch.h"

#include <stdint.h>

/* Rounds up to whole cache lines. */
static inline uintptr_t whole_lines(uintptr_t bytes)
{
    return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

/* Returns the address of the next part and moves *end past it. */
static inline uintptr_t carve(uintptr_t *end, size_t bytes)
{
    const uintptr_t start = *end;
    *end += whole_lines(bytes);
    return start;
}

#endif
