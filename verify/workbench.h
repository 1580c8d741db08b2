/* SPDX-License-Identifier: MIT
 *
 * One case on the bench: its inputs in guarded buffers, its reference, and the check of a table. */
#ifndef DOWNHILL_VERIFY_WORKBENCH_H
#define DOWNHILL_VERIFY_WORKBENCH_H

#include "arena.h"
#include "cases.h"
#include "machine_state.h"
#include "reference.h"
#include "verify.h"

/* Returns whether scores of bf16 features split each weight into two bf16, of which an infinity makes a NaN. */
bool verify_splits_weights(const downhill_kernels *kernels);

typedef struct workbench {
    arena x_arena, w_arena, b_arena, y_arena, scores_arena, dscores_arena, dw_arena, db_arena,
        workspace_arena;
    guarded x, w, b, y, scores, dscores, dw, db, workspace;

    /* Dense copies of inputs that a check may overwrite, and of what the outputs held before. */
    float *x_dense, *w_dense, *b_dense, *scores_dense, *dw_dense, *db_dense;
    const float **x_rows; /* the samples of the batch */
    size_t *rows;
    int32_t *labels; /* of the samples */

    bounded *want_scores, *want_dscores, *want_dw, *want_db, want_loss;

    bool nan_for_infinity; /* a NaN is as good: where weights are split into bf16 */
    machine_state after;   /* the last call */
    char failure[160];     /* what the last failed check found */
} workbench;

/* For all cases of a seed. false: no memory. */
bool workbench_open(workbench *bench, uint64_t seed);
void workbench_close(workbench *bench);

/* Draws the inputs of the case and computes the reference of the operation. */
void workbench_prepare(workbench *bench, const verify_case *v, verify_op op);

/* Runs the operation with a table on fresh outputs; false if anything differs. */
bool workbench_check(workbench *bench, const verify_case *v, verify_op op,
                     const downhill_kernels *kernels);

#endif
