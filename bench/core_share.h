/* SPDX-License-Identifier: MIT
 *
 * Estimates which share of its core a thread gets. Another hardware thread of the same core takes
 * up to half of the issue slots. Under a hypervisor it may belong to another guest, and no counter
 * shows it. A chain of dependent operations, with which the clock is measured, is not slowed by it,
 * but many independent additions are. The share is the number of additions that start per clock
 * cycle, divided by the number that an unshared core can start. */
#ifndef DOWNHILL_BENCH_CORE_SHARE_H
#define DOWNHILL_BENCH_CORE_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* Measures the additions per cycle of this core now, which takes a few microseconds. */
double core_additions_per_cycle(void);

/* Measures the clock frequency of this core now with chains of dependent additions, which take 50
 * to 100 microseconds. Returns the time that this took, in seconds. */
double core_clock(double *ghz);

/* A histogram of the additions per cycle seen so far. */
enum { CORE_BINS = 1024, CORE_BINS_PER_UNIT = 64 };
typedef struct core_capacity {
    size_t count, bins[CORE_BINS];
} core_capacity;

void core_capacity_add(core_capacity *capacity, double additions_per_cycle);

/* Adds measurements for 0.2 seconds. */
void core_capacity_measure(core_capacity *capacity);

/* Returns the additions per cycle of an unshared core: the 99th percentile of the histogram,
 * because a few measurements are too high when the clock was measured too low. Returns 0 before the
 * first measurement. */
double core_capacity_estimate(const core_capacity *capacity);

/* Returns whether the estimate can be that of an unshared core. A core that was shared all the time
 * looks like a narrow one. But every core with AVX2 starts three additions per cycle or more, and
 * with a busy second thread each thread gets little more than half of them. Returns true before the
 * first measurement, and on a machine without AVX2. */
bool core_capacity_is_plausible(const core_capacity *capacity);

/* Measures the additions per cycle and adds them to the histogram. Returns 0 if capacity is
 * NULL. */
double core_observe(core_capacity *capacity);

/* Measures until the core is unshared, for at most max_s seconds. Returns the last measurement. */
double core_wait(core_capacity *capacity, double max_s);

/* Returns the share of the core that a measurement stands for, at most 1. Returns 1 if the
 * measurement is 0, if capacity is NULL, or before the first measurement. */
double core_share(const core_capacity *capacity, double additions_per_cycle);

/* A sample with a smaller share of the core was disturbed. A busy second thread leaves a share of
 * 0.6 or less, and measurements of an unshared core differ by 2 %. */
#define CORE_SHARE_MIN 0.9

#endif
