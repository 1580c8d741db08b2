/* SPDX-License-Identifier: MIT
 *
 * The suite: which rows there are (suite.c), how they are sampled (run.c), and what comes out
 * (results.c). Rows that are compared stand together in a group, and are sampled in turn. */
#ifndef DOWNHILL_BENCH_SUITE_H
#define DOWNHILL_BENCH_SUITE_H

#include "base/conditions.h"
#include "base/machine.h"
#include "ceilings.h"
#include "core_share.h"
#include "counters.h"
#include "kernel_list.h"
#include "peers.h"
#include "stats.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { BENCH_SAMPLES_MAX = 1000 };

typedef struct bench_shape {
    size_t n, d, c;
    bool quick; /* part of the quick suite */
} bench_shape;

typedef struct bench_options {
    const char *filter; /* extended regular expression on the row's name; NULL: all */
    const char *isa;    /* only these levels (levels.h); NULL: every usable one */
    bool peers;         /* the other libraries as well */
    bool sweeps;        /* the step at many batch sizes and numbers of features as well */
    bool noise_floor;   /* only the rows of the noise floor (noise_floor.h) */
    bool counters;      /* one more sample of each row, under the counters of the CPU */
    size_t threads;     /* the steps on 2, 4, … threads as well, up to this number; 0 or 1: not */
    const machine *machine;
    int cpu; /* that the thread is bound to; -1: none */
    const bench_shape *shapes;
    size_t n_shapes;
    bool no_hot, cold;  /* which of the states of the caches (bench_row) */
    size_t repetitions; /* the least number of samples of a row */
    double precision;   /* sample on until the 95 % interval of the median is as close; 0: do not */
    double max_time_s; /* nor longer than this on a row, the least number apart; nor than twice this
                         * where only some of its samples had the core to themselves */
    double min_time_s; /* of a sample */
    core_capacity *core; /* what is known of a whole core, and learnt; NULL: do not look */
    uint64_t seed;       /* of the data and of the order */
    bool progress;
} bench_options;

/* The shapes of the standard suite. */
extern const bench_shape bench_standard_shapes[];
extern const size_t bench_standard_shape_count;

typedef enum bench_sweep { SWEEP_NONE, SWEEP_BATCH, SWEEP_SIZE } bench_sweep;

typedef struct bench_sample {
    uint64_t iterations;
    double real_ns, cpu_ns; /* per iteration */
    double time_s;          /* when it ended, since the start of the run */
    double core;            /* additions per cycle beside it, before or after (core_share.h); 0: not
                             * looked at */
    uint64_t sequence;      /* place in the order of the whole run */
    int cpu;                /* that it ended on, or -1 */
} bench_sample;

/* Causes that make a sample slower than the code. */
typedef enum bench_interference {
    INTERFERENCE_NONE,
    INTERFERENCE_CPU,  /* its thread did not run for a tenth of the time or more */
    INTERFERENCE_CORE, /* another hardware thread of the core was at work (core_share.h) */
} bench_interference;

/* What ended the sampling of a row. */
typedef enum bench_stopped {
    STOPPED_INTERRUPTED, /* it is not whole */
    STOPPED_PRECISION,   /* as close as asked for */
    STOPPED_TIME,
    STOPPED_REPETITIONS, /* as many as asked for, or as are ever taken */
} bench_stopped;

/* The words of results.json. */
extern const char *const bench_stopped_names[];

typedef struct bench_row {
    char name[112];
    bench_kernel kernel;
    const char *isa;  /* the level's own name, or the peer's; static */
    const peer *peer; /* NULL: one of our levels */
    size_t n, d, c, threads;
    bool cold;         /* each call takes the next of so many buffers that no cache holds them */
    bench_sweep sweep; /* SWEEP_NONE: of the suite */
    size_t family;     /* rows that share buffers, or are of one sweep */
    double flops, bytes, working_set;
    double attainable;  /* GFLOP/s (ceilings.h); 0: not known */
    const char *bound;  /* what limits it: "FMA" or a level of memory; static or of the ceilings */
    uint32_t roof_mask; /* ceilings that `attainable` comes from, as for ceilings_measure_some() */
    bench_sample *samples;
    size_t n_samples, samples_size;
    size_t n_undisturbed; /* of those that had the core to themselves */
    bool uses_disturbed;  /* too few of them: the statistics are of all samples */
    bench_stopped stopped;
    stats real_ns, cpu_ns;   /* where n_samples > 0; of those alone */
    counter_values counters; /* per call */
    char skipped[192];       /* why it was not run; "" otherwise */
} bench_row;

/* A set of rows that were sampled in turn, and what went on meanwhile. */
typedef struct bench_group {
    size_t first, end; /* rows */
    double start_s, end_s;
    double clock_before_ghz, clock_after_ghz;
    conditions conditions; /* what came to pass meanwhile */
} bench_group;

typedef struct bench_suite {
    bench_row *rows;
    size_t n_rows;
    bench_group *groups; /* those that were run */
    size_t n_groups;
    double seconds, start_s; /* start_s: where an earlier part of the run left off */
    uint64_t sequence;       /* of the next sample */
    bool interrupted;
    const core_capacity *core; /* of the options */
} bench_suite;

/* Makes the list of rows. Returns EXIT_OK; EXIT_USAGE for a bad filter or where nothing matches;
 * EXIT_ISA; EXIT_INTERNAL; with a line printed. */
int bench_suite_build(const bench_options *options, bench_suite *suite);

/* The rows from `first` on that are one group; the index behind the last. */
size_t bench_group_end(const bench_suite *suite, size_t first);

/* Called after each group; what it returns ends the run unless it is EXIT_OK. */
typedef int (*bench_group_callback)(void *context, bench_suite *suite);

/* Runs it, group by group; inside a group every round samples all its rows once that want more, in an
 * order shuffled anew from the seed. A row that cannot run is marked skipped; one that is whole already,
 * taken over from an earlier part of the run, is left as it is if its group is. Stops early, with the
 * samples so far, once *stop is set. `after` may be NULL. */
int bench_suite_run(const bench_options *options, bench_suite *suite, bench_group_callback after,
                    void *context, const volatile sig_atomic_t *stop);

void bench_suite_free(bench_suite *suite);

/* What is in every time beside the work: a call, in the loop that is timed, of the smallest score there is, of
 * one sample, feature and class, on the best level. 0: it could not be made. */
double bench_call_ns(void);

/* Is it whole: sampled to its end, or skipped for a reason of its own? */
bool bench_row_is_complete(const bench_row *row);

/* Returns what a sample lacked. Where nobody looked at the core it lacks nothing. */
bench_interference bench_sample_interference(const bench_row *row, const bench_sample *sample,
                                             const core_capacity *core);

/* The statistics of its samples: of those that had the core to themselves, or, with fewer of them than an
 * interval takes, or than `least`, of all. core: NULL if it was not looked at. */
void bench_row_summarise(bench_row *row, const core_capacity *core, size_t least);

/* Sums what the counters of the kernel rose by during the groups whose thread waited for its
 * CPU. Returns the seconds that it waited. */
double bench_seconds_waited(const bench_suite *suite, conditions *passed);

/* Sets the attainable rate of every row. The ceilings must outlive the suite. */
void bench_set_attainable(bench_suite *suite, const ceilings *found);

/* A share of what is attainable above this is an error of a ceiling or of the model (roofs.h). */
#define BENCH_ABOVE_ROOF 1.03
bool bench_above_roof(const bench_row *row);

/* ---- results.c ---- */

/* The rows with every sample and the aggregates, in Google Benchmark's schema plus our own keys
 * (reports/README.md); the groups; the formulas. */
json_t *bench_rows_to_json(const bench_suite *suite);
json_t *bench_groups_to_json(const bench_suite *suite);
json_t *bench_formulas_to_json(void);

/* A table of medians, grouped by shape, with the speed-up over scalar. */
void bench_print_table(const bench_suite *suite);

#endif
