/* SPDX-License-Identifier: MIT
 *
 * The noise floor: how far the medians of the same code differ from one time to the next. A few rows, the
 * floor_options, are timed in several passes, each with buffers of its own; half of them before everything else and
 * half after, so that what drifts over the run is in it. What differs by less between two runs is no
 * difference. */
#ifndef DOWNHILL_BENCH_NOISE_FLOOR_H
#define DOWNHILL_BENCH_NOISE_FLOOR_H

#include "suite.h"

enum { NOISE_FLOOR_PASSES = 4 };

typedef struct noise_floor {
    size_t passes; /* done */
    size_t n_rows;
    struct noise_floor_row {
        char name[112];
        double median_ns[NOISE_FLOOR_PASSES]; /* 0: the row could not run */
    } * rows;
} noise_floor;

/* Makes the rows of a pass, and the options that they are sampled with: those of the suite, for
 * floor_options alone. There may be none. Returns an exit code. */
int noise_floor_build(const bench_options *options, size_t pass, bench_options *floor_options,
                      bench_suite *suite);

/* One pass more, with the rows of the suite's options that are floor_options. Returns an exit code. */
int noise_floor_run_pass(noise_floor *f, const bench_options *options,
                         const volatile sig_atomic_t *stop);
void noise_floor_free(noise_floor *f);

/* The 95th percentile, over rows and pairs of passes, of how far the ratio of their medians, the larger
 * over the smaller, is above 1. NaN where there is no pair. */
double noise_floor_p95(const noise_floor *f);

json_t *noise_floor_to_json(const noise_floor *f);

#endif
