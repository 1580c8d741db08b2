/* SPDX-License-Identifier: MIT
 *
 * Order statistics of a handful of samples. */
#ifndef DOWNHILL_BENCH_STATS_H
#define DOWNHILL_BENCH_STATS_H

#include <stddef.h>

/* Fewer samples have no 95 % interval of the median that ends at samples. */
enum { STATS_INTERVAL_MIN = 6 };

typedef struct stats {
    double median, min;
    double mad;       /* median absolute deviation from the median, unscaled */
    double p95;       /* 95th percentile, interpolated */
    double low, high; /* 95 % confidence interval of the median; NaN below STATS_INTERVAL_MIN */
    size_t n_mild, n_severe; /* outside the fences of Tukey: 1.5 and 3 interquartile ranges */
} stats;

/* count >= 1; sorts the values in place, and then overwrites them. */
stats stats_compute(double *values, size_t count);

/* The rank k, from 1, for which the k-th least and the k-th largest of `count` samples bound the median
 * with a confidence of at least 95 %, whatever they are distributed like: the largest k with
 * P(B < k) <= 2.5 %, B binomial of count and 1/2 (Conover, 1999). 0: there is none. */
size_t stats_interval_rank(size_t count);

/* Half the width of the interval over the median; NaN as that. */
double stats_precision(const stats *s);

#endif
