/* SPDX-License-Identifier: MIT
 *
 * Order statistics of a handful of samples. */
#ifndef DOWNHILL_BENCH_STATS_H
#define DOWNHILL_BENCH_STATS_H

#include <stddef.h>

typedef struct stats {
    double median;
    double min;
    double mad; /* median absolute deviation from the median, unscaled */
} stats;

/* count >= 1; sorts the values in place, and then overwrites them. */
stats stats_of(double *values, size_t count);

#endif
