/* SPDX-License-Identifier: MIT
 *
 * A step on one sample is bound by the passes over W. Its gradient makes none of its own: the update multiplies the
 * sample by the dscores. */
#include "driver/step_one_u8.h"

#include "driver/batch_plan.h"
#include "driver/block_loss.h"
#include "driver/block_score.h"

double downhill_step_one_u8(const downhill_kernels *kernels, const struct batch_view *batch,
                            const downhill_weights_f32 *weights, struct packed_u8 *packed,
                            downhill_loss loss, struct update_factors factors,
                            const struct workspace_u8 *w, struct phase_clock *clock)
{
    const size_t c = packed->c;
    const struct plan plan =
        downhill_batch_plan(kernels, batch, OPERATION_STEP, packed->d, c, 0, 0);
    struct block_iterator blocks;
    downhill_block_first(&blocks, batch, &plan);
    charge(clock, &clock->profile->gather_ns);
    downhill_block_score_u8(&plan, packed, blocks.block, w->scores, w->lds);
    charge(clock, &clock->profile->score_ns);
    const double sum = downhill_block_loss_u8(kernels, blocks.block, c, loss, w->scores, w->lds,
                                              w->dscores, w->ldds);
    charge(clock, &clock->profile->loss_ns);
    downhill_update_packed_u8_by_one(weights, blocks.block->x[0], w->dscores, factors, w->sums.dw,
                                     packed);
    charge(clock, &clock->profile->update_ns);
    return sum;
}
