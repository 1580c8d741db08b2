/* SPDX-License-Identifier: MIT
 *
 * How a range is cut into register tiles. */
#ifndef DOWNHILL_TILES_H
#define DOWNHILL_TILES_H

#include <stddef.h>

/* Size of the next tile when `left` items remain and a tile holds `most`: as few tiles as possible,
 * as equal as possible (11 by 5 gives 4, 4, 3 and not 5, 5, 1, whose last tile would starve). */
static inline size_t next_tile(size_t left, size_t most)
{
    const size_t tiles = (left + most - 1) / most;
    return (left + tiles - 1) / tiles;
}

#endif
