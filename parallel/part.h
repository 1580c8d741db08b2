/* SPDX-License-Identifier: MIT
 *
 * How a minibatch is divided, among the threads of a team as among the ranks of a cluster. */
#ifndef DOWNHILL_PARALLEL_PART_H
#define DOWNHILL_PARALLEL_PART_H

#include <stddef.h>

/* Parts of a minibatch are multiples of a tile of samples. */
enum { PART_ROWS = 4 };

/* Where part `part` of `parts` begins, of `count` things in whole units; part `parts` begins at the end. */
static inline size_t part_start(size_t count, size_t unit, size_t part, size_t parts)
{
    const size_t units = (count + unit - 1) / unit;
    const size_t start = units * part / parts * unit;
    return start < count ? start : count;
}

/* The row numbers of one part, and room for them. */
typedef struct part_rows {
    size_t *rows, room;
} part_rows;

/* Takes the `own` rows from the `first` on of a minibatch of n, and behind them those that the part will have in the next
 * one, whose n_next rows follow it, if that is as large as this one. rows NULL: their numbers. Returns how many are
 * behind them, or SIZE_MAX: no memory. */
size_t part_rows_take(part_rows *p, size_t first, size_t own, const size_t *rows, size_t n,
                      size_t n_next);

#endif
