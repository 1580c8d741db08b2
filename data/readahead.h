/* SPDX-License-Identifier: MIT
 *
 * Telling the kernel which rows of a mapped file come next, so that it reads them from the disk while others are worked
 * on. Rows in random order are the case that the kernel cannot foresee: it reads what lies around a row, which for a set
 * larger than memory throws out what will be wanted, and waits for each row in turn.
 *
 * For a set that fits into memory the kernel's way is the better one: it reads in long stretches what will all be wanted.
 * And advice costs a system call for each stretch of neighbouring rows, as much as training on such a row does. So it is
 * given for larger sets alone, and while pages have to be read: from a page fault that had to wait for the disk on, for
 * READAHEAD_STEPS steps. */
#ifndef DOWNHILL_DATA_READAHEAD_H
#define DOWNHILL_DATA_READAHEAD_H

#include "samples.h"

enum { READAHEAD_STEPS = 256 };

typedef struct readahead {
    const matrix *x;
    bool wanted;
    size_t ahead;   /* rows */
    size_t advised; /* of the order of the epoch */
    long faults;    /* so far */
    size_t steps;   /* for which advice is still to be given */
} readahead;

/* For the rows of x; nothing ever happens if they are not mapped, or fit into memory. */
readahead readahead_open(const matrix *x);

/* An epoch begins, in this order of memory or a random one; and ends. */
void readahead_begin(readahead *r, bool random);
void readahead_end(readahead *r);

/* Before a step on rows first … first+n-1 of the `all` of an epoch. */
void readahead_step(readahead *r, const size_t *rows, size_t first, size_t n, size_t all);

/* A stretch of bytes from the start of the features of row 0, whole pages. */
typedef struct readahead_stretch {
    size_t start, end;
} readahead_stretch;

/* The stretch of row rows[*at] and of those behind it that continue it, as far as `end`; *at is moved behind them. Rows
 * have row_bytes bytes and lie ld_bytes apart. */
readahead_stretch readahead_next(const size_t *rows, size_t *at, size_t end, size_t row_bytes,
                                 size_t ld_bytes, size_t page);

#endif
