/* SPDX-License-Identifier: MIT
 *
 * The samples that come next, brought near by the kernels that work on those before them: a line or
 * two per step of 20 vector FMAs, so that the memory bus is as busy as the FMA units. Evenly,
 * because a core whose miss buffers are full drops prefetches: Zen 5 loses most of a burst, and
 * nothing at one line in 9 cycles. Two rows side by side, because scattered rows come from two
 * pages of DRAM faster than from one. */
#ifndef DOWNHILL_AHEAD_H
#define DOWNHILL_AHEAD_H

#include "simd/tiles.h"

#include <stddef.h>

enum { LINE_BYTES = 64 };

/* What is still to be fetched. Nothing is read through these pointers. */
struct downhill_ahead {
    const char *row_a, *row_b; /* where fetching goes on in each of two rows */
    size_t left;               /* lines of each of them; 0: all is fetched */
    size_t row_bytes, n_rows;  /* rows behind those two */
    const void *const *rows;
    size_t pace; /* lines of each row per two steps, 1 or 2 */
};

/* What a tile fetches. */
struct ahead_run {
    const char *a, *b;
    size_t step_bytes; /* 0: nothing, the same line again and again */
};

/* Goes on to the next two rows; a single last one is fetched as its two halves. */
static inline void ahead_next_rows(struct downhill_ahead *ahead)
{
    const size_t lines = (ahead->row_bytes + LINE_BYTES - 1) / LINE_BYTES;
    if (ahead->n_rows == 0)
        return;
    const size_t taken = ahead->n_rows < 2 ? 1 : 2;
    ahead->left = taken == 2 ? lines : (lines + 1) / 2;
    ahead->row_a = ahead->rows[0];
    ahead->row_b = taken == 2 ? ahead->rows[1] : ahead->row_a + ahead->left * LINE_BYTES;
    ahead->rows += taken;
    ahead->n_rows -= taken;
}

static inline struct downhill_ahead ahead_of(const void *const *rows, size_t n_rows,
                                             size_t row_bytes, size_t pace)
{
    struct downhill_ahead ahead = {
        .rows = rows, .n_rows = n_rows, .row_bytes = row_bytes, .pace = pace};
    ahead_next_rows(&ahead);
    return ahead;
}

/* A run that fetches nothing: `near` is in L1. */
static inline struct ahead_run ahead_none(const void *near)
{
    return (struct ahead_run){near, near, 0};
}

/* The lines for *steps steps. Where the rows end sooner *steps becomes less, down to 2; whoever does not
 * heed it fetches a few lines behind them. */
static inline struct ahead_run ahead_take(struct downhill_ahead *ahead, size_t *steps)
{
    if (ahead->left == 0)
        return ahead_none(ahead);
    const struct ahead_run run = {ahead->row_a, ahead->row_b, LINE_BYTES / 2 * ahead->pace};
    const size_t lines = (*steps * ahead->pace + 1) / 2;
    if (lines >= ahead->left) {
        const size_t enough = ahead->left * 2 / ahead->pace, some = enough < 2 ? 2 : enough;
        *steps = *steps < some ? *steps : some;
        ahead->left = 0;
        ahead_next_rows(ahead);
    } else {
        ahead->row_a += lines * LINE_BYTES;
        ahead->row_b += lines * LINE_BYTES;
        ahead->left -= lines;
    }
    return run;
}

/* One step: at the slower pace every line is asked for twice, which costs less than a branch. Into L2
 * and not L1, from which it would push the weights: the scores of samples from memory are 1.4 times
 * as fast for it (Zen 4).
 * Inlined by force: to GCC a function that only prefetches has no effect, and a call of it goes. */
DOWNHILL_INLINE void ahead_fetch(struct ahead_run *run)
{
    __builtin_prefetch(run->a, 0, 2);
    __builtin_prefetch(run->b, 0, 2);
    run->a += run->step_bytes;
    run->b += run->step_bytes;
}

/* So many steps at once, for a kernel whose own step reads as many lines of X as they fetch. */
DOWNHILL_INLINE void ahead_fetch_all(struct downhill_ahead *ahead, size_t steps)
{
    while (steps > 0 && ahead->left > 0) {
        size_t taken = steps;
        struct ahead_run run = ahead_take(ahead, &taken);
        for (size_t s = 0; s < taken; s++)
            ahead_fetch(&run);
        steps -= taken;
    }
}

#endif
