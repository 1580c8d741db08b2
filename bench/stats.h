/* SPDX-License-Identifier: MIT
 *
 * Order statistics of small samples. */
#ifndef DOWNHILL_BENCH_STATS_H
#define DOWNHILL_BENCH_STATS_H

#include <stddef.h>

/* Minimum number of samples for a 95 % confidence interval of the median whose ends are samples. */
enum { STATS_INTERVAL_MIN = 6 };

typedef struct stats {
    double median, min;
    double mad;       /* median absolute deviation from the median, unscaled */
    double p95;       /* 95th percentile, interpolated */
    double low, high; /* 95 % confidence interval of the median; NaN below STATS_INTERVAL_MIN */
    size_t n_mild, n_severe; /* outside the fences of Tukey: 1.5 and 3 interquartile ranges */
} stats;

/* Computes the statistics of count >= 1 values, which it overwrites. */
stats stats_compute(double *values, size_t count);

/* Returns the rank k, from 1, for which the k-th smallest and the k-th largest of `count` samples
 * bound the median with a confidence of at least 95 % for any distribution: the largest k with
 * P(B < k) <= 2.5 %, where B is binomial with parameters count and 1/2 (Conover, 1999). Returns 0
 * if there is none. */
size_t stats_interval_rank(size_t count);

/* Returns the 97.5 % quantile of Student's t with this many degrees of freedom, at least 1, within
 * 0.3 %. */
double stats_t975(double degrees);

/* Returns half the width of the confidence interval divided by the median; NaN if there is no
 * interval. */
double stats_precision(const stats *s);

#endif
