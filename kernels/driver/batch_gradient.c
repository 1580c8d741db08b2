/* SPDX-License-Identifier: MIT */
#include "driver/batch_gradient.h"

#include "driver/block.h"
#include "driver/block_grad.h"
#include "driver/block_loss.h"
#include "driver/block_score.h"
#include "driver/exact_sums.h"
#include "driver/packing.h"

#include <string.h>

static void score(const struct pass *p, const struct block *block, struct prefetch *prefetch)
{
    if (block->element == ELEMENT_U8)
        downhill_block_score_u8(p->plan, p->operands.u8.packed, block,
                                p->operands.u8.workspace->scores, p->operands.u8.workspace->lds);
    else
        downhill_block_score(p->kernels, p->plan, block, p->operands.f32.weights,
                             p->operands.f32.workspace->packed, p->operands.f32.workspace->scores,
                             p->operands.f32.workspace->lds, prefetch);
}

static double loss(const struct pass *p, struct block *block)
{
    const size_t c = p->plan->c;
    if (block->element == ELEMENT_U8) {
        const struct workspace_u8 *w = p->operands.u8.workspace;
        const double sum = downhill_block_loss_u8(p->kernels, block, c, p->loss, w->scores, w->lds,
                                                  w->dscores, w->ldds);
        if (p->loss.kind == DOWNHILL_HINGE)
            downhill_drop_satisfied(block, c, w->dscores, sizeof *w->dscores, w->ldds);
        return sum;
    }
    const struct workspace_f32 *w = p->operands.f32.workspace;
    const double sum = downhill_block_loss(p->kernels, block, c, p->loss, w->scores, w->lds);
    if (p->loss.kind == DOWNHILL_HINGE)
        downhill_drop_satisfied(block, c, w->scores, sizeof *w->scores, w->lds);
    return sum;
}

static void gradient(const struct pass *p, const struct block *block, int accumulate,
                     const downhill_gradient_f32 *sums_f32, struct prefetch *prefetch)
{
    if (block->element == ELEMENT_U8)
        downhill_block_grad_u8(p->kernels, p->plan, block, p->loss.kind == DOWNHILL_SOFTMAX,
                               p->operands.u8.workspace->dscores, p->operands.u8.workspace->ldds,
                               accumulate, p->operands.u8.grad);
    else
        downhill_block_grad(p->kernels, p->plan, block, p->operands.f32.workspace->scores,
                            p->operands.f32.workspace->lds, accumulate, sums_f32, prefetch);
}

/* Returns where the gradient in f32 is summed. The sums of the bias always go to the caller's
 * db. */
static downhill_gradient_f32 sums_of(const struct pass *p)
{
    if (!p->plan->sums_in_workspace)
        return *p->operands.f32.grad;
    downhill_gradient_f32 sums = p->operands.f32.workspace->sums;
    sums.db = p->operands.f32.grad->db;
    return sums;
}

/* Adds the sums of bytes to the totals if they may not hold another block, or after the last one. Returns the first
 * sample that is not in the totals yet. */
static size_t add_full_sums(const struct pass *p, const struct block_iterator *blocks,
                            size_t first_in_sums)
{
    const downhill_gradient_f64 *totals = p->operands.u8.totals;
    const size_t samples = downhill_samples_of_sums(p->loss, p->plan->c),
                 held = blocks->next - first_in_sums;
    if (blocks->next < p->batch->n && held + p->plan->block_rows <= samples)
        return first_in_sums;
    downhill_add_to_totals(p->operands.u8.grad, first_in_sums > 0, totals);
    return blocks->next;
}

double downhill_batch_gradient(const struct pass *p, struct phase_clock *clock)
{
    const int is_f32 = p->batch->element != ELEMENT_U8;
    const downhill_gradient_f32 sums = is_f32 ? sums_of(p) : (downhill_gradient_f32){0};
    if (is_f32 && p->plan->packs_once) {
        downhill_pack_weights(p->plan->packing, p->operands.f32.weights,
                              p->operands.f32.workspace->packed);
        charge(clock, &clock->profile->score_ns);
    }

    double total = 0.0;
    size_t first_in_sums = 0;
    struct block_iterator blocks;
    downhill_block_first(&blocks, p->batch, p->plan);
    while (blocks.block->n > 0) {
        charge(clock, &clock->profile->gather_ns);
        score(p, blocks.block, &blocks.prefetch);
        charge(clock, &clock->profile->score_ns);
        total += loss(p, blocks.block);
        charge(clock, &clock->profile->loss_ns);
        gradient(p, blocks.block, blocks.first > first_in_sums, &sums, &blocks.prefetch);
        if (!is_f32 && p->operands.u8.totals != NULL)
            first_in_sums = add_full_sums(p, &blocks, first_in_sums);
        charge(clock, &clock->profile->grad_ns);
        /* If few samples were left for the gradient, the block after the next must be prefetched during the scores. */
        blocks.pace = 2 * blocks.block->n < blocks.next - blocks.first ? 2 : 1;
        downhill_block_next(&blocks);
    }
    for (size_t j = 0; is_f32 && p->plan->sums_in_workspace && j < sums.c; j++)
        memcpy(p->operands.f32.grad->dw + j * p->operands.f32.grad->lddw, sums.dw + j * sums.lddw,
               sums.d * sizeof *sums.dw);
    charge(clock, &clock->profile->grad_ns);
    return total;
}
