/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "core_share.h"

#include "base/clock.h"
#include "base/levels.h"

#include <math.h>
#include <stdint.h>

enum { ROUNDS = 1000, CHAINS = 8 };

/* Keeps the compiler from adding several times at once. */
#define NOT_MERGED(x) __asm__ volatile("" : "+r"(x))

/* More chains than any core of today adds in a cycle; an addition takes one. */
static void additions(void)
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

/* A cycle each on every core: an addition of a register, unlike one of a constant, is never done at
 * rename. */
static void chain(void)
{
    uint64_t x = 3;
    for (size_t i = 0; i < ROUNDS; i++) {
#pragma GCC unroll 4
        for (size_t k = 0; k < 4; k++) {
            x += x;
            NOT_MERGED(x);
        }
    }
}

static void time_of(void (*work)(void), double *least_s)
{
    const double start = clock_seconds();
    work();
    const double took_s = clock_seconds() - start;
    *least_s = took_s < *least_s ? took_s : *least_s;
}

double core_additions_per_cycle(void)
{
    /* The least of a few: an interrupt takes longer than each. */
    double additions_s = 1.0, chain_s = 1.0;
    for (int i = 0; i < 3; i++) {
        time_of(chain, &chain_s);
        time_of(additions, &additions_s);
    }
    const double cycles = additions_s / chain_s * 4.0 * ROUNDS;
    return 4.0 * CHAINS * ROUNDS / cycles;
}

void core_capacity_add(core_capacity *whole, double additions_per_cycle)
{
    const double bin = additions_per_cycle * CORE_BINS_PER_UNIT;
    whole->bins[bin < CORE_BINS - 1 ? (size_t)bin : CORE_BINS - 1]++;
    whole->count++;
}

void core_capacity_measure(core_capacity *whole)
{
    for (const double end = clock_seconds() + 0.2; clock_seconds() < end;)
        core_capacity_add(whole, core_additions_per_cycle());
}

double core_capacity_estimate(const core_capacity *whole)
{
    size_t bin = CORE_BINS;
    for (size_t above = 0; bin > 0 && above * 100 <= whole->count; above += whole->bins[--bin]) {
    }
    return whole->count > 0 ? ((double)bin + 0.5) / CORE_BINS_PER_UNIT : 0.0;
}

bool core_capacity_is_plausible(const core_capacity *whole)
{
    return whole->count == 0 || !levels_cpu_has(FEATURE_AVX2) ||
           core_capacity_estimate(whole) > 2.85;
}

double core_observe(core_capacity *whole)
{
    if (whole == NULL)
        return 0.0;
    const double seen = core_additions_per_cycle();
    core_capacity_add(whole, seen);
    return seen;
}

double core_wait(core_capacity *whole, double most_s)
{
    double seen = core_observe(whole);
    for (const double end = clock_seconds() + most_s;
         core_share(whole, seen) < CORE_SHARE_MIN && clock_seconds() < end;)
        seen = core_observe(whole);
    return seen;
}

double core_share(const core_capacity *whole, double additions_per_cycle)
{
    const double rate = whole != NULL ? core_capacity_estimate(whole) : 0.0;
    return rate > 0.0 && additions_per_cycle > 0.0 ? fmin(additions_per_cycle / rate, 1.0) : 1.0;
}
