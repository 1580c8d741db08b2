/* SPDX-License-Identifier: MIT
 *
 * A run of `downhill bench`: its configuration, its measurements, and the results file with both.
 * */
#ifndef DOWNHILL_CLI_BENCH_SESSION_H
#define DOWNHILL_CLI_BENCH_SESSION_H

#include "bench_choices.h"

#include "base/machine.h"
#include "bench/suite.h"
#include "verify/verify.h"

#include <jansson.h>

typedef struct bench_config {
    bench_row_choice rows; /* first, because its options are a group */
    const char *isa, *min_time, *max_time, *ceilings_from, *json, *resume;
    size_t passes, repetitions, threads;
    double precision;
    uint64_t seed;
    bool list, formulas, quick, peers, sweeps, counters, ceilings, no_ceilings;
} bench_config;

typedef struct bench_session {
    const bench_config *config;
    const machine *machine;
    double start_s; /* clock_seconds() at the start of the command */
    core_capacity core;
    bench_options bench;
    bench_suite suite;
    ceilings ceilings;
    bool has_ceilings;
    verify_result verified;
    json_t *arguments, *warnings;
    const char *not_granted; /* why fewer threads than --threads are available; NULL: all are */
    int cpu;                 /* the CPU that the thread is bound to, or -1 */
    bool partial;            /* some rows are not timed yet */
    double next_write_s;     /* clock_seconds() before which no partial results are written */
} bench_session;

/* Verifies the kernels, times the rows, writes the results from time to time and at the end, and
 * prints a table. Returns an exit code. */
int bench_session_run(bench_session *s);

/* Measures only the ceilings, prints and writes them. Returns an exit code. */
int bench_session_ceilings(bench_session *s);

/* Writes the results file, if one was asked for. Returns an exit code. */
int bench_session_write(bench_session *s);

/* Warns about doubtful rows and groups. Returns the number of rows that were timed. */
size_t bench_session_doubts(bench_session *s);

#endif
