/* SPDX-License-Identifier: MIT
 *
 * The suite: which rows there are, in what order they are sampled, and what comes out. */
#ifndef DOWNHILL_BENCH_SUITE_H
#define DOWNHILL_BENCH_SUITE_H

#include "ceilings.h"
#include "formulas.h"
#include "peers.h"
#include "stats.h"
#include "verify/verify.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct bench_shape {
    size_t n, d, c;
    bool quick; /* part of the quick suite */
} bench_shape;

typedef struct bench_options {
    const char *filter; /* extended regular expression on the row's name; NULL: all */
    const char *isa;    /* one level; NULL: every usable one */
    bool peers;         /* the other libraries as well */
    size_t threads;     /* the steps on 2, 4, … threads as well, up to this number; 0 or 1: not */
    const int *cpus;    /* what they are bound to (parallel/team.h) */
    const bench_shape *shapes;
    size_t n_shapes;
    size_t repetitions;
    double min_time_s; /* of a sample */
    uint64_t seed;     /* of the data and of the order */
    bool progress;
} bench_options;

/* The shapes of the standard suite. */
extern const bench_shape bench_standard_shapes[];
extern const size_t bench_standard_shape_count;

typedef struct bench_sample {
    uint64_t iterations;
    double real_ns, cpu_ns; /* per iteration */
    double gflop_per_s, gb_per_s;
    uint64_t sequence; /* place in the order of the whole run */
} bench_sample;

typedef struct bench_row {
    char name[112];
    bench_kernel kernel;
    const char *isa;  /* the level's own name, or the peer's; static */
    const peer *peer; /* NULL: one of our levels */
    size_t n, d, c, threads;
    size_t family; /* number of the shape; index within it counts the rows */
    double flops, bytes, holds;
    double attainable; /* GFLOP/s (ceilings.h); 0: not known */
    const char *bound; /* what limits it: "FMA" or a level of memory; static or of the ceilings */
    bench_sample *samples;
    size_t n_samples;
    stats real_ns, cpu_ns; /* where n_samples > 0 */
    char skipped[160];     /* why it was not run; "" otherwise */
} bench_row;

typedef struct bench_suite {
    bench_row *rows;
    size_t n_rows;
    double seconds;
    bool interrupted;
} bench_suite;

/* Makes the list of rows. Returns EXIT_OK; EXIT_USAGE for a bad filter or where nothing matches;
 * EXIT_ISA; EXIT_INTERNAL; with a line printed. */
int bench_suite_build(const bench_options *options, bench_suite *suite);

/* Runs it: shape by shape, kernel group by kernel group; inside a group every repetition samples
 * all its rows once, in an order shuffled anew from the seed. A row that cannot run is marked
 * skipped. Stops early, with the samples so far, once *stop is set. */
int bench_suite_run(const bench_options *options, bench_suite *suite,
                    const volatile sig_atomic_t *stop);

void bench_suite_free(bench_suite *suite);

/* The rows with every sample and the aggregates, in Google Benchmark's schema plus our own keys
 * (reports/README.md), and the formulas. */
json_t *bench_rows_to_json(const bench_suite *suite);
json_t *bench_formulas_to_json(void);

/* Sets the attainable rate of every row. The ceilings must outlive the suite. */
void bench_attain(bench_suite *suite, const ceilings *found);

/* A table of medians, grouped by shape, with the speed-up over scalar. */
void bench_print_table(const bench_suite *suite);

#endif
