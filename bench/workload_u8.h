/* SPDX-License-Identifier: MIT
 *
 * The buffers of the kernels on bytes. */
#ifndef DOWNHILL_BENCH_WORKLOAD_U8_H
#define DOWNHILL_BENCH_WORKLOAD_U8_H

#include "base/levels.h"
#include "base/rng.h"
#include "caller.h"

#include <stdbool.h>

typedef struct workload_u8 {
    size_t n, d, c;
    uint8_t *x; /* n × d random bytes */
    const int32_t *y;
    float *w, *b;
    double *scores;         /* n × c, input of the loss */
    int16_t *hinge_dscores; /* input of the gradient */
    int16_t *dscores;       /* output of the loss */
    int32_t *sums, *sums_b;
    downhill_workspace workspace;
    rng place;      /* of the addresses of buffers (placement.h) */
    uint16_t *mean; /* a normalisation, for update_normalised_u8 */
    float *scale;
    /* Packed weights per kernel table used so far, without and with the normalisation. */
    struct {
        const downhill_kernels *kernels;
        downhill_packed_u8 *plain, *normalised;
    } packed[LEVELS_MAX];
} workload_u8;

/* Allocates and fills the buffers. Keeps the pointer y, which must outlive the workload. For sizes
 * beyond the bounds of downhill.h it has no buffers, and calls return DOWNHILL_ERR_SIZE. Returns
 * false if memory is short. */
bool workload_u8_open(workload_u8 *load, size_t n, size_t d, size_t c, const int32_t *y, rng *r,
                      uint64_t layout);
void workload_u8_close(workload_u8 *load);

/* Returns the weights packed for the caller's kernel table; packs them at the first call with the
 * table. Returns NULL if memory is short. */
downhill_packed_u8 *workload_u8_packed(workload_u8 *load, const caller *by, bool normalised);

#endif
