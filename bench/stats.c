/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Returns a quantile of sorted values, interpolated between the two nearest. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double position = share * (double)(count - 1);
    const size_t index = (size_t)position;
    const double next = sorted[index + 1 < count ? index + 1 : index];
    return sorted[index] + (position - (double)index) * (next - sorted[index]);
}

size_t stats_interval_rank(size_t count)
{
    /* 2^-count is a double up to 1022; the suite takes at most 1000 samples. */
    double probability = ldexp(1.0, -(int)count), sum = probability;
    size_t k = 0;
    while (sum <= 0.025 && k < count) {
        k++;
        probability *= (double)(count - k + 1) / (double)k;
        sum += probability;
    }
    return k;
}

stats stats_compute(double *values, size_t count)
{
    stats s = {.low = NAN, .high = NAN};
    qsort(values, count, sizeof *values, ascending);
    s.median = quantile(values, count, 0.5);
    s.min = values[0];
    s.p95 = quantile(values, count, 0.95);
    const size_t rank = stats_interval_rank(count);
    if (rank > 0) {
        s.low = values[rank - 1];
        s.high = values[count - rank];
    }
    const double q1 = quantile(values, count, 0.25), q3 = quantile(values, count, 0.75);
    for (size_t i = 0; i < count; i++) {
        const double distance = fmax(q1 - values[i], values[i] - q3);
        s.n_severe += distance > 3.0 * (q3 - q1);
        s.n_mild += distance > 1.5 * (q3 - q1) && distance <= 3.0 * (q3 - q1);
        values[i] = fabs(values[i] - s.median);
    }
    qsort(values, count, sizeof *values, ascending);
    s.mad = quantile(values, count, 0.5);
    return s;
}

double stats_t975(double degrees)
{
    /* Abramowitz and Stegun, 26.7.5: an expansion about the quantile z of the normal distribution,
     * which is too coarse below four degrees. */
    static const double few[] = {12.706, 4.303, 3.182};
    if (degrees < 4.0)
        return few[degrees < 2.0 ? 0 : degrees < 3.0 ? 1 : 2];
    const double z = 1.959964, z2 = z * z;
    const double g1 = z * (z2 + 1.0) / 4.0, g2 = z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
                 g3 = z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
    return z + g1 / degrees + g2 / (degrees * degrees) + g3 / (degrees * degrees * degrees);
}

double stats_precision(const stats *s)
{
    return 0.5 * (s->high - s->low) / s->median;
}
