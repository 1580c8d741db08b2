/* SPDX-License-Identifier: MIT
 *
 * Partition of a minibatch among the threads of a team or the ranks of a cluster. */
#ifndef DOWNHILL_PARALLEL_PART_H
#define DOWNHILL_PARALLEL_PART_H

#include <stddef.h>

/* Samples per tile: parts of a minibatch are multiples of it. */
enum { PART_ROWS = 4 };

/* Returns the start of part `part` of `parts`, when `count` items are divided in multiples of
 * `unit`. Part `parts` starts at the end. */
static inline size_t part_start(size_t count, size_t unit, size_t part, size_t parts)
{
    const size_t units = (count + unit - 1) / unit;
    const size_t start = units * part / parts * unit;
    return start < count ? start : count;
}

/* The row numbers of one part, and the capacity of the array. */
typedef struct part_rows {
    size_t *rows, room;
} part_rows;

/* Copies the row numbers of a part: `own` of a minibatch of n, from `first` on, followed by those
 * that the part will have in the next minibatch, whose n_next rows follow this one. Assumes that
 * the next one is as large. If rows is NULL, row i has number i. Returns how many rows of the next
 * minibatch were added, or SIZE_MAX if memory is short. */
size_t part_rows_take(part_rows *p, size_t first, size_t own, const size_t *rows, size_t n,
                      size_t n_next);

#endif
