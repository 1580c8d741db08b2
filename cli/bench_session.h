/* SPDX-License-Identifier: MIT
 *
 * A run of `downhill bench`: what was asked for, what was found, and the results file of both. */
#ifndef DOWNHILL_CLI_BENCH_SESSION_H
#define DOWNHILL_CLI_BENCH_SESSION_H

#include "options.h"

#include "base/machine.h"
#include "bench/floor.h"
#include "bench/suite.h"
#include "verify/verify.h"

#include <jansson.h>

typedef struct bench_config {
    const char *filter, *isa, *cache, *min_time, *max_time, *ceilings_from, *json, *resume;
    option_list shapes;
    size_t repetitions, threads;
    double precision;
    uint64_t seed;
    bool list, formulas, quick, peers, sweeps, noise_floor, counters, ceilings, no_ceilings;
} bench_config;

typedef struct bench_session {
    const bench_config *config;
    const machine *machine;
    core_whole core;
    bench_options bench;
    bench_suite suite;
    ceilings ceilings;
    bool has_ceilings;
    noise_floor floor;
    verify_result verified;
    json_t *arguments, *warnings;
    const char *not_granted; /* why not all of --threads are; NULL: they are */
    int cpu;                 /* that the thread is bound to, or -1 */
    bool partial;
} bench_session;

/* Proves what is to be timed, then times it, writing the results after each group of rows, and prints a
 * table. Returns an exit code. */
int bench_session_run(bench_session *s);

/* Measures the ceilings alone, prints and writes them. */
int bench_session_ceilings(bench_session *s);

/* Writes the results file, if one was asked for. Returns an exit code. */
int bench_session_write(bench_session *s);

/* Warns of what the rows and groups show. Returns how many rows were timed. */
size_t bench_session_doubts(bench_session *s);

#endif
