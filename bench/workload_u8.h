/* SPDX-License-Identifier: MIT
 *
 * The part of a workload that is about bytes. */
#ifndef DOWNHILL_BENCH_WORKLOAD_U8_H
#define DOWNHILL_BENCH_WORKLOAD_U8_H

#include "base/levels.h"
#include "base/rng.h"
#include "formulas.h"

#include <stdbool.h>

typedef struct workload_u8 {
    size_t n, d, c;
    uint8_t *x; /* n × d at random */
    const int32_t *y;
    const size_t *in_order, *shuffled;
    float *w, *b;                     /* a model of such bytes */
    double *scores;                   /* n × c; what the loss is given */
    int16_t *hinge_dscores, *dscores; /* what the gradient is given; what the loss writes */
    int32_t *sums, *sums_b;
    void *workspace;
    size_t workspace_bytes;
    /* Packed weights of each table that was used so far. */
    struct {
        const struct downhill_u8_kernels *of;
        void *packed;
    } packed[LEVELS_MAX];
} workload_u8;

/* y and the row numbers must outlive it. false: no memory, or sizes beyond those of downhill.h. */
bool workload_u8_open(workload_u8 *load, size_t n, size_t d, size_t c, const int32_t *y,
                      const size_t *in_order, const size_t *shuffled, rng *r);
void workload_u8_close(workload_u8 *load);

/* The kernel once, on these buffers. The first call with a table packs the weights. */
downhill_status workload_u8_run(const downhill_kernels *kernels, bench_kernel kernel,
                                workload_u8 *load);

#endif
