/* SPDX-License-Identifier: MIT
 *
 * Runs one case on bytes. All operations on bytes are exact: there is one right result, and it is
 * compared bit by bit. */
#ifndef DOWNHILL_VERIFY_WORKBENCH_U8_H
#define DOWNHILL_VERIFY_WORKBENCH_U8_H

#include "arena.h"
#include "cases.h"
#include "reference_u8.h"
#include "verify.h"

enum {
    U8_X,
    U8_Y,
    U8_W,
    U8_B,
    U8_MEAN,
    U8_SCALE,
    U8_SCORES,
    U8_DSCORES,
    U8_SUMS,
    U8_SUMS_B,
    U8_TOTALS,
    U8_TOTALS_B,
    U8_PACKED,
    U8_WORKSPACE,
    U8_ARENAS
};

typedef struct workbench_u8 {
    arena arenas[U8_ARENAS];
    /* In the order of the arenas. */
    guarded x, y, w, b, mean, scale, scores, dscores, sums, sums_b, totals, totals_b, packed,
        workspace;
    /* Dense contents of the buffers before the call, and expected contents after it (want_…). */
    uint8_t *x_dense;
    const uint8_t **x_rows; /* row pointers of the batch */
    size_t *rows;
    int32_t *labels; /* of the batch */
    float *w_dense, *b_dense, *scale_dense;
    uint16_t *mean_dense;
    double *scores_dense;
    int16_t *dscores_dense;
    int64_t *sums_dense, *sums_b_dense; /* of the gradient in 32 bits and of that in f64 */
    float *want_w, *want_b;
    double *want_scores, want_loss;
    int16_t *want_dscores;
    int64_t *want_sums, *want_sums_b;
    bool want_is_near; /* the expected dscores and loss of softmax are within the error bounds */
    downhill_sgd sgd;
    bool in_f64; /* the gradient */
    reference_quantised quantised;
} workbench_u8;

/* Allocates buffers for all cases of a seed. Returns false if out of memory. */
bool workbench_u8_open(workbench_u8 *bench, uint64_t seed);
void workbench_u8_close(workbench_u8 *bench);

/* As in workbench.h. A failed check describes the failure in `failure`. */
void workbench_u8_prepare(workbench_u8 *bench, const verify_case *v, verify_kernel kernel);
bool workbench_u8_check(workbench_u8 *bench, const verify_case *v, verify_kernel kernel,
                        const downhill_kernels *kernels, char *failure, size_t failure_size);

#endif
