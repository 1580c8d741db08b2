/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "core_share.h"

#include "base/clock.h"
#include "base/levels.h"

#include <math.h>
#include <stdint.h>

enum { ROUNDS = 1000, CHAINS = 8 };

/* Keeps the compiler from merging several additions into one. */
#define NOT_MERGED(x) __asm__ volatile("" : "+r"(x))

/* Runs CHAINS independent chains of additions, which are more than any current core starts per
 * cycle. The latency of an addition is one cycle. */
static void run_additions(void)
{
    uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            a++, b++, c++, d++, e++, f++, g++, h++;
            NOT_MERGED(a);
            NOT_MERGED(b);
            NOT_MERGED(c);
            NOT_MERGED(d);
            NOT_MERGED(e);
            NOT_MERGED(f);
            NOT_MERGED(g);
            NOT_MERGED(h);
        }
    }
}

/* Runs one chain of 4·rounds additions at one cycle each. They add a register, because some cores
 * eliminate the addition of a constant at register renaming. */
static void run_chain_of(size_t rounds)
{
    uint64_t x = 3;
    for (size_t i = 0; i < rounds; i++) {
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            x += x;
            NOT_MERGED(x);
        }
    }
}

static void run_chain(void)
{
    run_chain_of(ROUNDS);
}

double core_clock(double *ghz)
{
    /* Reading the time takes about 30 ns, a thousandth or two of a chain. The fastest of three,
     * because an interrupt can only make a chain slower. */
    enum { LONG_ROUNDS = 16 * ROUNDS, TRIES = 3 };
    const double start = clock_seconds();
    double min_s = INFINITY, before = start, now = start;
    for (int i = 0; i < TRIES; i++, before = now) {
        run_chain_of(LONG_ROUNDS);
        now = clock_seconds();
        min_s = fmin(min_s, now - before);
    }
    *ghz = 4.0 * LONG_ROUNDS / min_s * 1e-9;
    return now - start;
}

/* Lowers *min_s to the time that the work takes, if that is shorter. */
static void time_work(void (*work)(void), double *min_s)
{
    const double start = clock_seconds();
    work();
    const double took_s = clock_seconds() - start;
    *min_s = took_s < *min_s ? took_s : *min_s;
}

double core_additions_per_cycle(void)
{
    /* Minimum of three, because an interrupt takes longer than each of them. */
    double additions_s = 1.0, chain_s = 1.0;
    for (int i = 0; i < 3; i++) {
        time_work(run_chain, &chain_s);
        time_work(run_additions, &additions_s);
    }
    const double cycles = additions_s / chain_s * 4.0 * ROUNDS;
    return 4.0 * CHAINS * ROUNDS / cycles;
}

void core_capacity_add(core_capacity *capacity, double additions_per_cycle)
{
    const double bin = additions_per_cycle * CORE_BINS_PER_UNIT;
    capacity->bins[bin < CORE_BINS - 1 ? (size_t)bin : CORE_BINS - 1]++;
    capacity->count++;
}

void core_capacity_measure(core_capacity *capacity)
{
    for (const double end = clock_seconds() + 0.2; clock_seconds() < end;)
        core_capacity_add(capacity, core_additions_per_cycle());
}

double core_capacity_estimate(const core_capacity *capacity)
{
    size_t bin = CORE_BINS;
    for (size_t above = 0; bin > 0 && above * 100 <= capacity->count;
         above += capacity->bins[--bin]) {
    }
    return capacity->count > 0 ? ((double)bin + 0.5) / CORE_BINS_PER_UNIT : 0.0;
}

bool core_capacity_is_plausible(const core_capacity *capacity)
{
    return capacity->count == 0 || !levels_cpu_has(FEATURE_AVX2) ||
           core_capacity_estimate(capacity) > 2.85;
}

double core_observe(core_capacity *capacity)
{
    if (capacity == NULL)
        return 0.0;
    const double observed = core_additions_per_cycle();
    core_capacity_add(capacity, observed);
    return observed;
}

double core_wait(core_capacity *capacity, double max_s)
{
    double observed = core_observe(capacity);
    for (const double end = clock_seconds() + max_s;
         core_share(capacity, observed) < CORE_SHARE_MIN && clock_seconds() < end;)
        observed = core_observe(capacity);
    return observed;
}

double core_share(const core_capacity *capacity, double additions_per_cycle)
{
    const double rate = capacity != NULL ? core_capacity_estimate(capacity) : 0.0;
    return rate > 0.0 && additions_per_cycle > 0.0 ? fmin(additions_per_cycle / rate, 1.0) : 1.0;
}
