/* SPDX-License-Identifier: MIT
 *
 * Charges the time of a step to its phases. Without a profile no clock is read. A source that includes this defines
 * _POSIX_C_SOURCE first. */
#ifndef DOWNHILL_PHASE_CLOCK_H
#define DOWNHILL_PHASE_CLOCK_H

#include "downhill.h"

#include <time.h>

struct phase_clock {
    downhill_profile *profile; /* where to add; `unused` if the caller wants none */
    downhill_profile unused;
    uint64_t last_ns; /* end of the last phase; 0: not running */
};

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void phase_clock_start(struct phase_clock *clock, downhill_profile *profile)
{
    clock->profile = profile != NULL ? profile : &clock->unused;
    clock->last_ns = profile != NULL ? now_ns() : 0;
}

/* Ends a phase: adds the time since the end of the last one to *phase_ns, a member of clock->profile. */
static inline void charge(struct phase_clock *clock, uint64_t *phase_ns)
{
    if (clock->profile == &clock->unused)
        return;
    const uint64_t now = now_ns();
    *phase_ns += now - clock->last_ns;
    clock->last_ns = now;
}

#endif
