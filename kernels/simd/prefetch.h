/* SPDX-License-Identifier: MIT
 *
 * Prefetch of the rows that a later call will read. The micro-kernels that work on the current rows issue one or two
 * cache lines per step of 20 vector FMAs, so that the memory bus is as busy as the FMA units. The pace is even because
 * a core drops prefetches when its miss buffers are full: Zen 5 loses most of a burst, and nothing at one line per 9
 * cycles. Two rows are prefetched side by side because two pages of DRAM deliver scattered rows faster than one. */
#ifndef DOWNHILL_PREFETCH_H
#define DOWNHILL_PREFETCH_H

#include "simd/tiles.h"

#include <stddef.h>

enum { LINE_BYTES = 64 };

/* Rows that remain to be prefetched. Nothing is read through these pointers. */
struct prefetch {
    const char *row_a, *row_b; /* the next line of each of two rows */
    size_t left;               /* lines left in each of the two; 0: no rows are left either */
    size_t row_bytes, n_rows;  /* size of a row; number of rows after the two */
    const void *const *rows;
    size_t pace; /* lines of each row per two steps, 1 or 2 */
};

/* Lines that one tile prefetches. */
struct prefetch_run {
    const char *a, *b;
    size_t step_bytes; /* 0: nothing to prefetch; every step touches the same line */
};

/* Starts the next two rows. A single last row is prefetched as two halves. */
static inline void prefetch_next_rows(struct prefetch *prefetch)
{
    const size_t lines = (prefetch->row_bytes + LINE_BYTES - 1) / LINE_BYTES;
    if (prefetch->n_rows == 0)
        return;
    const size_t taken = prefetch->n_rows < 2 ? 1 : 2;
    prefetch->left = taken == 2 ? lines : (lines + 1) / 2;
    prefetch->row_a = prefetch->rows[0];
    prefetch->row_b =
        taken == 2 ? prefetch->rows[1] : prefetch->row_a + prefetch->left * LINE_BYTES;
    prefetch->rows += taken;
    prefetch->n_rows -= taken;
}

/* Starts the prefetch of n_rows rows. */
static inline struct prefetch prefetch_of(const void *const *rows, size_t n_rows, size_t row_bytes,
                                          size_t pace)
{
    struct prefetch prefetch = {
        .rows = rows, .n_rows = n_rows, .row_bytes = row_bytes, .pace = pace};
    prefetch_next_rows(&prefetch);
    return prefetch;
}

/* Returns a run that prefetches nothing; `near` points to anything in L1. */
static inline struct prefetch_run prefetch_none(const void *near)
{
    return (struct prefetch_run){near, near, 0};
}

/* Takes the lines for *steps steps. If the rows end sooner, lowers *steps, but not below 2. A kernel that takes all of
 * its steps anyway touches a few lines past the end. */
static inline struct prefetch_run prefetch_take(struct prefetch *prefetch, size_t *steps)
{
    if (prefetch->left == 0)
        return prefetch_none(prefetch);
    const struct prefetch_run run = {prefetch->row_a, prefetch->row_b,
                                     LINE_BYTES / 2 * prefetch->pace};
    const size_t lines = (*steps * prefetch->pace + 1) / 2;
    if (lines >= prefetch->left) {
        const size_t steps_left = prefetch->left * 2 / prefetch->pace,
                     limit = steps_left < 2 ? 2 : steps_left;
        *steps = *steps < limit ? *steps : limit;
        prefetch->left = 0;
        prefetch_next_rows(prefetch);
    } else {
        prefetch->row_a += lines * LINE_BYTES;
        prefetch->row_b += lines * LINE_BYTES;
        prefetch->left -= lines;
    }
    return run;
}

/* Takes one step. At the slower pace each line is requested twice, which costs less than a branch. The lines go into
 * L2: in L1 they would evict the weights, and scores of samples from memory would take 1.4 times as long (Zen 4). It is
 * always inlined, because GCC assumes that a function that only prefetches has no effect and removes calls to it. */
DOWNHILL_INLINE void prefetch_step(struct prefetch_run *run)
{
    __builtin_prefetch(run->a, 0, 2);
    __builtin_prefetch(run->b, 0, 2);
    run->a += run->step_bytes;
    run->b += run->step_bytes;
}

/* Takes several steps at once, for a kernel that reads that many lines of X per step of its own. */
DOWNHILL_INLINE void prefetch_steps(struct prefetch *prefetch, size_t steps)
{
    while (steps > 0 && prefetch->left > 0) {
        size_t taken = steps;
        struct prefetch_run run = prefetch_take(prefetch, &taken);
        for (size_t s = 0; s < taken; s++)
            prefetch_step(&run);
        steps -= taken;
    }
}

#endif
