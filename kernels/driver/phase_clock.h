/* SPDX-License-Identifier: MIT
 *
 * Charges the time of a step to its phases. Without a profile no clock is read. */
#ifndef DOWNHILL_PHASE_CLOCK_H
#define DOWNHILL_PHASE_CLOCK_H

#include "downhill.h"

struct phase_clock {
    downhill_profile *profile; /* where to add; `unused` if the caller wants none */
    downhill_profile unused;
    uint64_t last_ns; /* end of the last phase; 0: not running */
};

/* Returns the monotonic clock in nanoseconds. */
uint64_t downhill_now_ns(void);

static inline void phase_clock_start(struct phase_clock *clock, downhill_profile *profile)
{
    clock->profile = profile != NULL ? profile : &clock->unused;
    clock->last_ns = profile != NULL ? downhill_now_ns() : 0;
}

/* Ends a phase: adds the time since the end of the last one to *phase_ns, a member of clock->profile. */
static inline void charge(struct phase_clock *clock, uint64_t *phase_ns)
{
    if (clock->profile == &clock->unused)
        return;
    const uint64_t now = downhill_now_ns();
    *phase_ns += now - clock->last_ns;
    clock->last_ns = now;
}

#endif
