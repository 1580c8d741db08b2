/* SPDX-License-Identifier: MIT
 *
 * Runs one case on f32 or bf16: draws its inputs into guarded buffers, computes its reference, and
 * checks a kernel table. */
#ifndef DOWNHILL_VERIFY_WORKBENCH_H
#define DOWNHILL_VERIFY_WORKBENCH_H

#include "arena.h"
#include "cases.h"
#include "machine_state.h"
#include "reference.h"
#include "verify.h"

/* Returns whether the scores of bf16 features split each weight into two bf16 terms. An infinite
 * weight then gives NaN. */
bool verify_splits_weights(const downhill_kernels *kernels);

typedef struct workbench {
    arena x_arena, w_arena, b_arena, y_arena, scores_arena, dscores_arena, dw_arena, db_arena,
        workspace_arena;
    guarded x, w, b, y, scores, dscores, dw, db, workspace;

    /* Dense copies of the inputs, and of the initial contents of the outputs. */
    float *x_dense, *w_dense, *b_dense, *scores_dense, *dw_dense, *db_dense;
    const float **x_rows; /* row pointers of the batch */
    size_t *rows;
    int32_t *labels; /* of the batch */

    bounded *want_scores, *want_dscores, *want_dw, *want_db, want_loss;

    double loss;           /* that the last check of a loss returned */
    bool nan_for_infinity; /* weights are split into bf16: NaN is right for infinity */
    machine_state after;   /* state after the last call */
    char failure[160];     /* describes the last failure */
} workbench;

/* Allocates buffers for all cases of a seed. Returns false if out of memory. */
bool workbench_open(workbench *bench, uint64_t seed);
void workbench_close(workbench *bench);

/* Draws the inputs of the case and computes the reference results of the operation. */
void workbench_prepare(workbench *bench, const verify_case *v, verify_kernel kernel);

/* Runs the operation of a kernel table on fresh outputs. Returns false if anything differs. */
bool workbench_check(workbench *bench, const verify_case *v, verify_kernel kernel,
                     const downhill_kernels *kernels);

#endif
