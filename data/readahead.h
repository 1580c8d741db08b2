/* SPDX-License-Identifier: MIT
 *
 * Tells the kernel which rows of a mapped file come next, so that it reads them from disk during
 * computation. The kernel cannot foresee rows in random order: it reads the neighbourhood of each
 * row, which for a set larger than memory evicts pages that are still needed, and waits for each
 * row in turn.
 *
 * For a set that fits into memory the kernel's own strategy is better: it reads long stretches, all
 * of which will be needed. Advice also costs a system call per stretch of neighbouring rows, about
 * as much as training on such a row. So advice is given only for larger sets, and only while pages
 * must be read: for READAHEAD_STEPS steps after a page fault that had to wait for the disk. */
#ifndef DOWNHILL_DATA_READAHEAD_H
#define DOWNHILL_DATA_READAHEAD_H

#include "samples.h"

enum { READAHEAD_STEPS = 256 };

typedef struct readahead {
    const matrix *x;
    bool wanted;
    size_t ahead; /* rows to announce in advance */
    /* end of the announced rows, an index into the order of the epoch */
    size_t advised;
    long faults;  /* major page faults so far */
    size_t steps; /* steps that still give advice */
} readahead;

/* Prepares read-ahead for the rows of x. It does nothing if they are not mapped or fit into
 * memory. */
readahead readahead_open(const matrix *x);

/* Begin and end an epoch, whose rows come in the order of memory or at random. */
void readahead_begin(readahead *r, bool random);
void readahead_end(readahead *r);

/* Gives advice before a step on rows first … first+n-1 of the `all` rows of an epoch. */
void readahead_step(readahead *r, const size_t *rows, size_t first, size_t n, size_t all);

/* A range of bytes, in whole pages, from the start of the features of row 0. */
typedef struct readahead_stretch {
    size_t start, end;
} readahead_stretch;

/* Returns the stretch of row rows[*at] and of the following rows, up to `end`, that continue it;
 * *at is moved past them. Rows have row_bytes bytes and start ld_bytes apart. */
readahead_stretch readahead_next(const size_t *rows, size_t *at, size_t end, size_t row_bytes,
                                 size_t ld_bytes, size_t page);

#endif
