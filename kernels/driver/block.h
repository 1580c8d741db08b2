/* SPDX-License-Identifier: MIT
 *
 * Block iterator: a batch in blocks of rows, each looked up once, with the rows to prefetch during the work on it. */
#ifndef DOWNHILL_BLOCK_H
#define DOWNHILL_BLOCK_H

#include "driver/batch_view.h"
#include "driver/plan.h"
#include "simd/prefetch.h"

/* Row pointers and labels of up to BLOCK_ROWS_MAX samples. In a block of bytes the pointers past the n-th are those of
 * the samples after it, or of its last one again. */
struct block {
    size_t n;
    enum element element;
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
    int32_t y[BLOCK_ROWS_MAX]; /* set if the batch has labels */
};

struct block_iterator {
    const struct batch_view *batch;
    const struct plan *plan;
    size_t first, next;       /* first sample of the current block and of the next one */
    struct block *block;      /* the current block; its n is 0 after the last */
    struct prefetch prefetch; /* the rows after the current block */
    size_t pace; /* of the prefetch; may be changed before a call of downhill_block_next() */
    struct block blocks[2];
};

/* Starts with the first block of a batch that has passed the checks. */
void downhill_block_first(struct block_iterator *blocks, const struct batch_view *batch,
                          const struct plan *plan);

/* Goes on to the next block. */
void downhill_block_next(struct block_iterator *blocks);

/* Fills x with pointers to feature k of n rows. */
static inline void rows_at(enum element element, size_t n, const void *const *rows, size_t k,
                           const void *x[])
{
    for (size_t i = 0; i < n; i++)
        x[i] = feature_at(element, rows[i], k);
}

#endif
