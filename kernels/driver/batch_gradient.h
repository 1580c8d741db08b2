/* SPDX-License-Identifier: MIT
 *
 * Loss and gradient of a batch in one pass over X: each block of rows is scored, turned into dscores and added to the
 * gradient before the next one is touched. While a block fits L2 (plan.h), X crosses the memory bus once, where a
 * chain of whole-batch calls reads it twice. The next block is prefetched meanwhile; the scores of bytes prefetch the
 * next rows. Only the scores of one block are held. */
#ifndef DOWNHILL_BATCH_GRADIENT_H
#define DOWNHILL_BATCH_GRADIENT_H

#include "driver/batch_view.h"
#include "driver/packed_u8.h"
#include "driver/phase_clock.h"
#include "driver/plan.h"
#include "driver/workspace.h"

/* A pass over a batch that has passed the checks. */
struct pass {
    const downhill_kernels *kernels;
    const struct batch_view *batch;
    const struct plan *plan; /* of OPERATION_STEP */
    downhill_loss loss;
    union {
        struct {
            const downhill_weights_f32 *weights; /* of the caller, as is grad */
            const downhill_gradient_f32 *grad;
            const struct workspace_f32 *workspace;
        } f32; /* and bf16 */
        struct {
            const struct packed_u8 *packed;
            const downhill_gradient_u8 *grad;
            const downhill_gradient_f64 *totals; /* NULL: grad holds the sums of the whole batch */
            const struct workspace_u8 *workspace;
        } u8;
    } operands;
};

/* Overwrites the gradient, and the totals unless they are NULL. Returns the sum of the losses. */
double downhill_batch_gradient(const struct pass *pass, struct phase_clock *clock);

#endif
