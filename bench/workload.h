/* SPDX-License-Identifier: MIT
 *
 * The buffers of a shape, and the work that is timed on them. */
#ifndef DOWNHILL_BENCH_WORKLOAD_H
#define DOWNHILL_BENCH_WORKLOAD_H

#include "downhill.h"
#include "formulas.h"
#include "workload_u8.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Shared by all kernels and variants of a shape, so that they see the same addresses. */
typedef struct workload {
    size_t n, d, c;
    float *x, *w, *b;
    uint16_t *x_bf16; /* x, rounded */
    float *loss_scores, *grad_dscores,
        *hinge_dscores; /* what the losses and the gradient are given, never written */
    float *scores, *dscores, *dw, *db; /* what the kernels write */
    int32_t *y, *y_met50,
        *y_met95;                /* labels: the margins of 0, 50 and 95 % of the samples are met */
    size_t *in_order, *shuffled; /* row numbers of an epoch */
    float *step_x;               /* rows of one step of an epoch, copied together for a peer */
    int32_t *step_y;
    float *packed; /* weights in the order that a level wants */
    downhill_workspace workspace;
    downhill_weights_f32 weights, grad; /* w and b, dw and db */
    workload_u8 u8;
} workload;

/* Fills X with reals in [-1, 1), W so that scores are of order 1, labels at random. Every page is
 * written. false: out of memory. With y some margin of every sample is violated at Δ >= 0; with
 * y_met50 and y_met95 that share of the samples, drawn at random, meets every margin at Δ = 0. */
bool workload_open(workload *load, size_t n, size_t d, size_t c, uint64_t seed);
void workload_close(workload *load);

/* How an epoch goes: for each step its batch, with what comes next. */
typedef downhill_status (*workload_step)(const void *who, workload *load,
                                         const downhill_batch_f32 *batch);
downhill_status workload_epoch(workload *load, const size_t *rows, workload_step step,
                               const void *who);

/* The kernel once, on these buffers. */
downhill_status workload_run(const downhill_kernels *kernels, bench_kernel kernel, workload *load);

/* Has the kernel a part that a row is of? A level that packs nothing, or packs for bf16 as for f32, has
 * none of packing. */
bool workload_has(const downhill_kernels *kernels, bench_kernel kernel);

struct peer; /* peers.h */
struct team; /* parallel/team.h */

/* Can a team of threads do it? The steps and epochs with the hinge loss. */
bool workload_threads(bench_kernel kernel);

typedef struct bench_task {
    workload *loads; /* one; or a ring of them, of which each call takes the next */
    size_t n_loads, turn;
    bench_kernel kernel;
    const downhill_kernels *kernels;
    const struct peer *peer;           /* instead of the kernels; NULL: none */
    struct team *team;                 /* with the kernels; NULL: the calling thread alone */
    downhill_status status;            /* of the last call */
    const volatile sig_atomic_t *stop; /* looked at between batches of calls; NULL: never */
    uint64_t at_once;                  /* calls in such a batch; 0: all */
    bool cut;                          /* the last run was stopped before its end */
} bench_task;

/* A gbench_function; the context is a bench_task. */
void bench_task_run(void *task, uint64_t iterations);

#endif
