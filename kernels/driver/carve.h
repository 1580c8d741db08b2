/* SPDX-License-Identifier: MIT
 *
 * Divides memory of the caller into parts, each starting on a cache line, so that no vector of a row straddles two.
 * Laid out from address 0, the end of the last part is the total size. */
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
