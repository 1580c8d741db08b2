/* SPDX-License-Identifier: MIT
 *
 * Layout of the memory that the caller gives a step. */
#ifndef DOWNHILL_WORKSPACE_H
#define DOWNHILL_WORKSPACE_H

#include "isa/kernels.h"

/* For f32 and bf16. */
struct workspace_f32 {
    downhill_gradient_f32 sums; /* db is NULL; dw too unless downhill_plan_sums_fit() */
    float *packed;              /* c × packed_ld(d), or NULL as dw */
    float *scores;              /* of a block, rows of lds; then its dscores */
    size_t lds;
};

/* For bytes. */
struct workspace_u8 {
    double *scores; /* of a block, rows of lds */
    int16_t *dscores;
    size_t lds, ldds;
    downhill_gradient_u8 sums;    /* dW of a step, or of as many samples as 32 bits hold */
    downhill_gradient_f64 totals; /* dW of a step on more samples */
};

/* Lay a workspace out at a multiple of LINE_BYTES. Return its end. rows: of the scores, which come last, so that a
 * caller who does not need the end can pass 0 and save a division. */
uintptr_t downhill_lay_out_f32(struct workspace_f32 *workspace, uintptr_t at, size_t rows, size_t d,
                               size_t c);
uintptr_t downhill_lay_out_u8(struct workspace_u8 *workspace, uintptr_t at, size_t d, size_t c);

/* Lay a workspace out in memory of any alignment. */
struct workspace_f32 downhill_workspace_f32_in(void *memory, size_t d, size_t c);
struct workspace_u8 downhill_workspace_u8_in(void *memory, size_t d, size_t c);

#endif
