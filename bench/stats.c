/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return count % 2 != 0 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}

stats stats_of(double *values, size_t count)
{
    stats s;
    s.median = median_of(values, count);
    s.min = values[0];
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(values[i] - s.median);
    s.mad = median_of(values, count);
    return s;
}
