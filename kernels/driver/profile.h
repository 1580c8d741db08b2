/* SPDX-License-Identifier: MIT
 *
 * Where the time of a step goes. */
#ifndef DOWNHILL_PROFILE_H
#define DOWNHILL_PROFILE_H

#include "downhill.h"

#include <time.h>

/* Sources that include this ask for POSIX first. */
static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Charges the time since the last call to a phase. With profile NULL no clock is read. */
static inline void charge(const downhill_profile *profile, uint64_t *phase_ns, uint64_t *last_ns)
{
    if (profile == NULL)
        return;
    const uint64_t now = now_ns();
    *phase_ns += now - *last_ns;
    *last_ns = now;
}

#endif
