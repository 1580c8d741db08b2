/* SPDX-License-Identifier: MIT
 *
 * How much of its core a thread has. Another hardware thread of the same core, which under a hypervisor may
 * be another guest's and shows in no counter, takes up to half of what the core can begin in a cycle. A
 * chain of dependent operations, as the clock is measured with, does not feel that; as many independent
 * additions as a core can begin do. Their number per cycle of the clock, over that of a whole core, is
 * the share. */
#ifndef DOWNHILL_BENCH_CORE_SHARE_H
#define DOWNHILL_BENCH_CORE_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* Now, in some microseconds. */
double core_additions_per_cycle(void);

/* What a whole core can do, as far as was seen: what one look in a hundred is above. A few are too high, of
 * a clock that was taken for too slow. */
enum { CORE_BINS = 1024, CORE_BINS_PER_UNIT = 64 };
typedef struct core_capacity {
    size_t count, bins[CORE_BINS];
} core_capacity;

void core_capacity_add(core_capacity *whole, double additions_per_cycle);

/* Looks for it for some tenths of a second. */
void core_capacity_measure(core_capacity *whole);

/* 0 before anything was seen. */
double core_capacity_estimate(const core_capacity *whole);

/* Is that what a whole core can do? One that was shared all the time looks like a narrow one, but all with AVX2
 * add three times in a cycle or more, and with a second thread at work each has half of that or little more.
 * True where the machine has no AVX2. */
bool core_capacity_is_plausible(const core_capacity *whole);

/* core_additions_per_cycle(), kept as well; 0 if whole is NULL: nobody looks. */
double core_observe(core_capacity *whole);

/* Looks again and again until the core is whole, for at most so long. Returns the last look. */
double core_wait(core_capacity *whole, double most_s);

/* What share of a whole core that is, at most 1; 1 of 0, and where nobody looks. */
double core_share(const core_capacity *whole, double additions_per_cycle);

/* A sample with less than this of the core was not alone: a second thread leaves six tenths or less, and the
 * same core alone differs by two in a hundred. */
#define CORE_SHARE_MIN 0.9

#endif
