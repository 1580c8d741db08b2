/* SPDX-License-Identifier: MIT
 *
 * The suite: the list of rows (suite.c), their sampling (run.c, sampling.c), their statistics
 * (passes.c, interference.c) and their results (results.c). Rows that are compared with each other
 * form a group and are sampled in turn. */
#ifndef DOWNHILL_BENCH_SUITE_H
#define DOWNHILL_BENCH_SUITE_H

#include "base/conditions.h"
#include "base/machine.h"
#include "ceilings.h"
#include "core_share.h"
#include "counters.h"
#include "energy.h"
#include "kernel_list.h"
#include "peers.h"
#include "shapes.h"
#include "stats.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { BENCH_SAMPLES_MAX = 1000, BENCH_PASSES_MAX = 20 };

typedef struct bench_options {
    const char *filter; /* extended regular expression that row names must match; NULL: all */
    const char *isa;    /* ISA levels to run (levels.h); NULL: all usable ones */
    bool peers;         /* also time the other libraries */
    bool sweeps;        /* also time the sweeps (shapes.h) */
    bool quick;         /* a coarse map in the sweeps */
    bool counters;      /* take one more sample of each row with the CPU's counters */
    size_t threads; /* also time the steps on 2, 4, … up to this many threads; 0 or 1: do not */
    const machine *machine;
    int cpu; /* CPU that the thread is bound to; -1: none */
    const bench_shape *shapes;
    size_t n_shapes;
    bool no_hot, cold;   /* leave out the hot rows; add the cold ones (bench_row) */
    size_t passes;       /* number of passes over all rows; 0: one */
    size_t repetitions;  /* minimum number of samples per row, in all passes */
    double precision;    /* relative half-width of the 95 % interval of the median at which sampling
                         * ends; 0: end after `repetitions` samples */
    double max_time_s;   /* maximum time per row, in all passes, once it has `repetitions` samples;
                         * doubled if some samples were disturbed */
    double min_time_s;   /* minimum time per sample */
    core_capacity *core; /* capacity of the core, updated by each sample; NULL: do not measure it */
    uint64_t seed;       /* of the data and of the order */
    bool progress;
} bench_options;

typedef struct bench_sample {
    uint64_t iterations;
    size_t pass;
    double real_ns, cpu_ns; /* per iteration */
    double clock_ghz;       /* at its end; 0: not measured */
    double time_s;          /* end, in seconds since the start of the run */
    double core;            /* additions per cycle just before or after it, the lower of both
                             * (core_share.h); 0: not measured */
    uint64_t sequence;      /* position in the order of all samples of the run */
    int cpu;                /* CPU on which it ended, or -1 */
} bench_sample;

/* Causes that make a sample slower than the code. */
typedef enum bench_interference {
    INTERFERENCE_NONE,
    INTERFERENCE_CPU,  /* its thread was off the CPU for a tenth of the time or more */
    INTERFERENCE_CORE, /* another hardware thread of the core was busy (core_share.h) */
} bench_interference;

/* Reason for which the sampling of a row ended in its last pass. */
typedef enum bench_stopped {
    STOPPED_INTERRUPTED, /* the row is not complete */
    STOPPED_PRECISION,   /* the required precision is reached */
    STOPPED_TIME,        /* the maximum time is reached */
    STOPPED_REPETITIONS, /* the required number of samples, or the maximum number, is reached */
} bench_stopped;

/* Values of "stopped" in results.json. */
extern const char *const bench_stopped_names[];

typedef struct bench_row {
    char name[112];
    bench_kernel kernel;
    const char *isa;  /* name of the level or of the peer; static */
    const peer *peer; /* NULL: one of our levels */
    size_t n, d, c, threads;
    bool cold;         /* each call uses the next buffers of a pool that no cache holds */
    bool brief;        /* sampled for a part of the time (bench_options_of()) */
    bench_sweep sweep; /* SWEEP_NONE: of the suite */
    size_t family;     /* number that rows with the same buffers, or of the same sweep of sizes,
                        * share */
    double flops, bytes, working_set;
    double attainable; /* GFLOP/s (ceilings.h); 0: unknown */
    const char
        *bound; /* what limits it: "FMA" or a memory level; static or owned by the ceilings */
    uint32_t roof_mask; /* ceilings that `attainable` comes from, as for ceilings_measure_some() */
    bench_sample *samples;
    size_t n_samples, samples_size;
    size_t n_passes;                  /* completed */
    double pass_ns[BENCH_PASSES_MAX]; /* median of each, in time (passes.c) */
    double pass_clock_ghz[BENCH_PASSES_MAX];
    bool is_at_clock;     /* the median of real_ns, its interval and the noise floor are those of
                           * passes scaled to clock_ghz, because times followed the clock */
    double noise_floor;   /* relative difference of two passes that 95 % of pairs stay below; NaN:
                           * unknown */
    size_t n_undisturbed; /* number of samples without interference */
    bool uses_disturbed;  /* these are too few, so that the statistics include all samples */
    bench_stopped stopped;
    stats real_ns, cpu_ns; /* if n_samples > 0; of the undisturbed samples. The median of real_ns is
                            * that of the passes, and its interval the 95 % confidence interval of
                            * that, without effects that last for the whole run (passes.c) */
    double clock_ghz;      /* median at the ends of its samples; 0: not measured */
    energy_sum energy;     /* of its samples */
    counter_values counters; /* per call */
    char skipped[192];       /* why the row was not run, or "" */
} bench_row;

/* Rows that were sampled in turn in one pass, and the conditions meanwhile. */
typedef struct bench_group {
    size_t first, end; /* rows */
    size_t pass;
    double start_s, end_s;
    double clock_before_ghz, clock_after_ghz;
    conditions conditions; /* change from start to end */
} bench_group;

typedef struct bench_suite {
    bench_row *rows;
    size_t n_rows;
    bench_group *groups; /* groups that were run */
    size_t n_groups, n_passes;
    double seconds, start_s; /* start_s: time at which an earlier part of the run ended */
    uint64_t sequence;       /* of the next sample */
    bool interrupted;
    const core_capacity *core; /* of the options */
} bench_suite;

/* Builds the list of rows. Returns EXIT_OK, or after printing an error: EXIT_USAGE if the filter is
 * invalid or matches nothing, EXIT_ISA if no level is usable, or EXIT_INTERNAL. */
int bench_suite_build(const bench_options *options, bench_suite *suite);

/* Returns the options with the times that hold for the group of a row: those of a brief row are
 * shorter. All rows of a group are brief, or none. */
bench_options bench_options_of(const bench_options *options, const bench_row *row);

/* Returns the index past the last row of the group that starts at `first`. */
size_t bench_group_end(const bench_suite *suite, size_t first);

/* Is called after each group. Returns EXIT_OK, or an exit code that ends the run. */
typedef int (*bench_group_callback)(void *context, bench_suite *suite);

/* Runs the suite pass by pass, and each pass group by group. A pass has new buffers at new
 * addresses. Each round of a group samples once all its rows that need more samples, in an order
 * that is shuffled again for each round, from the seed. A row that cannot run is marked as skipped.
 * A group whose rows completed a pass in an earlier part of the run is left unchanged. Stops early
 * and keeps the samples so far once *stop is set. `on_group` may be NULL. */
int bench_suite_run(const bench_options *options, bench_suite *suite, bench_group_callback on_group,
                    void *context, const volatile sig_atomic_t *stop);

void bench_suite_free(bench_suite *suite);

/* Measures the overhead of a call that every time includes: the nanoseconds per call of the
 * smallest score, with one sample, feature and class, on the best level. Returns 0 if it cannot be
 * measured. */
double bench_call_ns(void);

/* Returns whether the row completed this many passes, or is skipped. */
bool bench_row_is_complete(const bench_row *row, size_t passes);

/* Returns what disturbed a sample; INTERFERENCE_NONE if the core was not measured. */
bench_interference bench_sample_interference(const bench_row *row, const bench_sample *sample,
                                             const core_capacity *core);

/* Computes the statistics of a row from its undisturbed samples, or from all samples if fewer than
 * min_undisturbed and fewer than STATS_INTERVAL_MIN are undisturbed. core: NULL if the core was not
 * measured. */
void bench_row_summarise(bench_row *row, const core_capacity *core, size_t min_undisturbed);

/* Computes the median of each row, its interval and its noise floor from the passes so far
 * (passes.c). */
void bench_suite_summarise(bench_suite *suite, const bench_options *options);

/* Returns half the relative width of the 95 % interval by ranks of the samples, each divided by the
 * median of its pass: the part of the error that more samples reduce. NaN: too few samples. Sets
 * the medians of the passes. */
double bench_row_precision_within_passes(bench_row *row, size_t passes, const core_capacity *core);

/* Returns whether sampling ended in the last pass before the required precision was reached; false
 * if none is required (0). */
bool bench_row_is_imprecise(const bench_row *row, double precision);

/* Sums the conditions of the groups whose thread waited for its CPU. Returns the seconds that it
 * waited. */
double bench_seconds_waited(const bench_suite *suite, conditions *events);

/* Sets the attainable rate of every row. The ceilings must outlive the suite. */
void bench_set_attainable(bench_suite *suite, const ceilings *found);

/* Multiple of the attainable rate above which a ceiling or the model must be wrong (roofs.h). */
#define BENCH_ABOVE_ROOF 1.03
bool bench_above_roof(const bench_row *row);

/* ---- results.c ---- */

/* Return the rows with all samples and aggregates, in Google Benchmark's schema with additional
 * keys (reports/README.md); the groups; the formulas. */
json_t *bench_rows_to_json(const bench_suite *suite);
json_t *bench_groups_to_json(const bench_suite *suite);
json_t *bench_formulas_to_json(void);

/* Return the rates of a row with a known clock: credited operations per clock cycle, and cycles per
 * row of data. */
double bench_operations_per_cycle(const bench_row *row);
double bench_cycles_per_sample(const bench_row *row);

/* Prints a table of medians, grouped by shape, with the speed-up over scalar. Marks rows whose
 * sampling ended before `precision` was reached. */
void bench_print_table(const bench_suite *suite, double precision);

#endif
