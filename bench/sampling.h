/* SPDX-License-Identifier: MIT
 *
 * Samples the rows of a group in one pass. */
#ifndef DOWNHILL_BENCH_SAMPLING_H
#define DOWNHILL_BENCH_SAMPLING_H

#include "base/progress.h"
#include "energy.h"
#include "gbench.h"
#include "suite.h"
#include "task.h"

/* The state of bench_suite_run(). */
typedef struct sampling {
    const bench_options *options;
    bench_suite *suite;
    const volatile sig_atomic_t *stop;
    counters counters;
    energy_counters energy;
    progress progress;
    size_t pass;
    size_t n_done; /* finished rows, summed over passes */
    double start;  /* clock_seconds() at the start */
} sampling;

/* The rows of a group while they are sampled. */
typedef struct sampled_group {
    size_t first, count;
    bench_row *rows; /* of the suite */
    bench_task *tasks;
    gbench_row **handles;
    uint64_t *iterations;
    size_t *n_before; /* samples of earlier passes */
    double *spent_s;  /* time spent in this pass on the samples of each row */
    size_t *order;    /* rows of the next round */
} sampled_group;

/* Returns the seconds since the start of the run, including its earlier parts. */
double sampling_seconds(const sampling *run);

/* Marks a row as skipped unless it is already. Returns false. */
bool sampling_skip(bench_row *row, const char *why);

/* Finds the number of calls per sample of each row, or warms it up, and takes samples in turn until
 * every row has enough. */
void sampling_of_group(sampling *run, sampled_group *g);

#endif
