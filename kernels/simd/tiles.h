/* SPDX-License-Identifier: MIT
 *
 * Register tiles: how a range is divided into tiles, and how the loops over a tile become straight-line code. */
#ifndef DOWNHILL_TILES_H
#define DOWNHILL_TILES_H

#include "isa/target.h"

#include <stddef.h>

/* Marks a function whose tile shape is a constant at every call. It is always inlined, so that its loops over the tile
 * unroll and its arrays live in registers. */
#define DOWNHILL_INLINE DOWNHILL_TARGET static inline __attribute__((always_inline))

/* Unrolls the next loop, over a tile, completely. At -O3 GCC decides not to unroll some of these
 * loops, and then keeps the accumulators in memory. Clang unrolls them without a pragma. With
 * one it would do so before inlining, when the trip counts are not constants yet. */
#if defined __clang__
#define DOWNHILL_UNROLL
#else
#define DOWNHILL_UNROLL _Pragma("GCC unroll 64")
#endif

/* Unrolls a loop with a constant trip count completely, also with Clang, which otherwise keeps a loop whose body it finds too
 * long. */
#if defined __clang__
#define DOWNHILL_UNROLL_ALWAYS _Pragma("clang loop unroll(full)")
#else
#define DOWNHILL_UNROLL_ALWAYS DOWNHILL_UNROLL
#endif

/* Unrolls the next loop twice, so that two accumulators that take turns stay in their registers. */
#if defined __clang__
#define DOWNHILL_UNROLL_2 _Pragma("clang loop unroll_count(2)")
#else
#define DOWNHILL_UNROLL_2 _Pragma("GCC unroll 2")
#endif

/* Returns the size of the next tile when `left` items remain and a tile holds at most `max`. The tiles are as few and
 * as equal as possible: 11 items by 5 give 4, 4, 3 instead of 5, 5, 1, whose last tile would have too little work. */
static inline size_t next_tile(size_t left, size_t max)
{
    if (left <= max)
        return left; /* skips the divisions, which would slow down a single sample */
    const size_t tiles = (left + max - 1) / max;
    return (left + tiles - 1) / tiles;
}

#endif
