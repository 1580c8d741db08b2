/* SPDX-License-Identifier: MIT
 *
 * Register tiles: how a range is cut into them, and how their loops become straight code. */
#ifndef DOWNHILL_TILES_H
#define DOWNHILL_TILES_H

#include "isa/target.h"

#include <stddef.h>

/* A function whose tile shape is a constant at every call, so that its loops over the tile unroll
 * and its arrays live in registers. */
#define DOWNHILL_INLINE DOWNHILL_TARGET static inline __attribute__((always_inline))

/* Before a loop over a tile: unroll it whole. GCC gives up on some at -O3 by its own measure, and
 * then keeps the accumulators in memory. Clang does not, and where it is told to unroll it does so
 * before it inlines, when the numbers are not constants yet. */
#if defined __clang__
#define DOWNHILL_UNROLL
#else
#define DOWNHILL_UNROLL _Pragma("GCC unroll 64")
#endif

/* Size of the next tile when `left` items remain and a tile holds `most`: as few tiles as possible,
 * as equal as possible (11 by 5 gives 4, 4, 3 and not 5, 5, 1, whose last tile would starve). */
static inline size_t next_tile(size_t left, size_t most)
{
    if (left <= most)
        return left; /* without the divisions, which a single sample would notice */
    const size_t tiles = (left + most - 1) / most;
    return (left + tiles - 1) / tiles;
}

#endif
