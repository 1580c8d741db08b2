/* SPDX-License-Identifier: MIT
 *
 * The timed loop of a row: calls of a kernel, or of a peer, on one workload or on a pool of
 * them. */
#ifndef DOWNHILL_BENCH_TASK_H
#define DOWNHILL_BENCH_TASK_H

#include "kernel_list.h"
#include "peer_calls.h"
#include "workload.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct bench_task {
    workload *loads; /* one, or a pool that the calls use in turn */
    size_t n_loads, turn;
    bench_kernel kernel;
    caller by;                         /* if peer is NULL */
    const peer *peer;                  /* library to time; NULL: ours */
    downhill_status status;            /* of the last call */
    const volatile sig_atomic_t *stop; /* polled between calls; NULL: never */
    uint64_t poll_calls;               /* calls between two polls; 0: all */
    bool stopped;                      /* the last run was stopped before its last call */
    bool measures_clock;               /* each run ends with a measurement of the clock */
    double clock_ghz;                  /* of the last run; 0: not measured */
    double aside_s;                    /* time of that measurement, which is subtracted */
} bench_task;

/* Runs the calls. It is a gbench_function with a bench_task as context. */
void bench_task_run(void *task, uint64_t iterations);

#endif
