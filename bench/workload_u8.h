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
    downhill_workspace workspace;
    uint16_t *mean; /* a normalisation, for the update alone */
    float *scale;
    /* Packed weights of each table that was used so far, as they are and with the normalisation. */
    struct {
        const struct downhill_u8_kernels *of;
        downhill_packed_u8 *plain, *normalised;
    } packed[LEVELS_MAX];
} workload_u8;

/* y and the row numbers must outlive it. Sizes beyond those of downhill.h are refused when it runs.
 * false: no memory. */
bool workload_u8_open(workload_u8 *load, size_t n, size_t d, size_t c, const int32_t *y,
                      const size_t *in_order, const size_t *shuffled, rng *r);
void workload_u8_close(workload_u8 *load);

struct team; /* parallel/team.h */

/* The kernel once, on these buffers; the steps by a team, if it is not NULL. The first call with a table
 * packs the weights. */
downhill_status workload_u8_run(const downhill_kernels *kernels, struct team *team,
                                bench_kernel kernel, workload_u8 *load);

#endif
