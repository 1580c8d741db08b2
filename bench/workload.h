/* SPDX-License-Identifier: MIT
 *
 * The buffers of a shape, filled with data to time kernels on. */
#ifndef DOWNHILL_BENCH_WORKLOAD_H
#define DOWNHILL_BENCH_WORKLOAD_H

#include "downhill.h"
#include "workload_u8.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows per step of an epoch. */
enum { WORKLOAD_STEP_ROWS = 256 };

/* Shared by all kernels and levels, so that they see the same addresses. */
typedef struct workload {
    size_t n, d, c;
    float *x, *w, *b;
    uint16_t *x_bf16; /* x, rounded */
    /* Inputs of losses and gradients; never written. */
    float *loss_scores, *grad_dscores, *hinge_dscores;
    float *scores, *dscores, *dw, *db; /* outputs */
    /* Labels for which 0, 50 and 95 % of the samples meet every margin. */
    int32_t *y, *y_met50, *y_met95;
    size_t *in_order, *shuffled; /* row numbers of an epoch */
    float *step_x;               /* rows of one step of an epoch, made contiguous for a peer */
    int32_t *step_y;
    float *packed; /* weights as a level packs them */
    downhill_workspace workspace;
    downhill_weights_f32 weights;
    downhill_gradient_f32 grad;
    workload_u8 u8;
} workload;

/* Allocates the buffers and fills X with reals in [-1, 1), W such that scores are of order 1, and
 * labels at random. Writes every page. With y each sample violates some margin at Δ >= 0; with
 * y_met50 and y_met95 that share of the samples, drawn at random, meets every margin at Δ = 0. The
 * data depend on `seed`, the addresses of the buffers on `layout` (placement.h). Returns false if
 * memory is short. */
bool workload_open(workload *load, size_t n, size_t d, size_t c, uint64_t seed, uint64_t layout);
void workload_close(workload *load);

/* Calls `step` for each batch of an epoch over these rows, until one fails. */
typedef downhill_status workload_step(const void *context, workload *load,
                                      const downhill_batch_f32 *batch);
downhill_status workload_epoch(workload *load, const size_t *rows, workload_step *step,
                               const void *context);

#endif
