/* SPDX-License-Identifier: MIT
 *
 * The timed loop of a row: its call, or that of a peer, on one workload or on a ring of them. */
#ifndef DOWNHILL_BENCH_TASK_H
#define DOWNHILL_BENCH_TASK_H

#include "kernel_list.h"
#include "peer_calls.h"
#include "workload.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct bench_task {
    workload *loads; /* one, or a ring of them, of which each call uses the next */
    size_t n_loads, turn;
    bench_kernel kernel;
    const downhill_kernels *kernels; /* of the level */
    const peer *peer;                /* times its call instead; NULL: ours */
    struct team *team;      /* threads that share each call; NULL: the calling thread alone */
    downhill_status status; /* of the last call */
    const volatile sig_atomic_t *stop; /* polled between batches of calls; NULL: never */
    uint64_t poll_calls;               /* calls per batch; 0: all */
    bool stopped;                      /* the last run ended before its last call */
} bench_task;

/* Is a gbench_function; the context is a bench_task. */
void bench_task_run(void *task, uint64_t iterations);

#endif
