/* SPDX-License-Identifier: MIT
 *
 * Energy of the CPU packages, from the counters (RAPL) that the kernel shows in
 * /sys/class/powercap. They include other cores and the caches, and, on an idle machine, little
 * else. */
#ifndef DOWNHILL_BENCH_ENERGY_H
#define DOWNHILL_BENCH_ENERGY_H

#include <stdbool.h>
#include <stddef.h>

enum { ENERGY_PACKAGES_MAX = 8 };

typedef struct energy_counters {
    size_t n_packages; /* 0: `missing` says why */
    struct energy_package {
        char path[160];
        double range_j; /* the counter restarts at 0 after this */
        double start_j;
    } packages[ENERGY_PACKAGES_MAX];
    char missing[192];
} energy_counters;

/* Energy of the samples of a row. */
typedef struct energy_sum {
    double joules, calls; /* calls 0: not measured */
} energy_sum;

/* Finds the counters below `root` (system_files.h). Never fails. */
void energy_open(energy_counters *e, const char *root);

/* Reads the counters. */
void energy_start(energy_counters *e);

/* Returns the joules since energy_start(), or a negative number if they cannot be read. A counter
 * may have restarted once since; it does so after a minute or more. */
double energy_stop(const energy_counters *e);

#endif
