/* SPDX-License-Identifier: MIT
 *
 * Wall time from a monotonic clock, and CPU time of the calling thread, in seconds. Includers
 * define _POSIX_C_SOURCE or _GNU_SOURCE. */
#ifndef DOWNHILL_BASE_CLOCK_H
#define DOWNHILL_BASE_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double clock_thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
