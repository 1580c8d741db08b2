/* SPDX-License-Identifier: MIT
 *
 * The noise floor: the spread between medians of the same code. A few rows are timed in several
 * passes, each with new buffers. Half of the passes run before everything else and half after it,
 * so that the spread includes drift during the run. Smaller differences between two runs are
 * noise. */
#ifndef DOWNHILL_BENCH_NOISE_FLOOR_H
#define DOWNHILL_BENCH_NOISE_FLOOR_H

#include "suite.h"

enum { NOISE_FLOOR_PASSES = 4 };

typedef struct noise_floor {
    size_t passes; /* completed */
    size_t n_rows;
    struct noise_floor_row {
        char name[112];
        double median_ns[NOISE_FLOOR_PASSES]; /* 0: the row could not run */
    } * rows;
} noise_floor;

/* Builds the rows of a pass and the options to sample them with, from the options of the suite.
 * There may be no rows. Returns an exit code. */
int noise_floor_build(const bench_options *options, size_t pass, bench_options *floor_options,
                      bench_suite *suite);

/* Runs one more pass, unless NOISE_FLOOR_PASSES are complete. Returns an exit code. */
int noise_floor_run_pass(noise_floor *f, const bench_options *options,
                         const volatile sig_atomic_t *stop);
void noise_floor_free(noise_floor *f);

/* Returns the 95th percentile, over rows and pairs of passes, of the ratio of the larger median to
 * the smaller one, minus 1. Returns NaN if there are no pairs. */
double noise_floor_p95(const noise_floor *f);

json_t *noise_floor_to_json(const noise_floor *f);

#endif
