/* SPDX-License-Identifier: MIT */
#include "driver/block.h"

/* Looks up the block that starts with sample `first`. */
static void look_up(const struct block_iterator *blocks, struct block *block, size_t first)
{
    const struct batch_view *batch = blocks->batch;
    const size_t left = batch->n - first;
    block->n = left < blocks->plan->block_rows ? left : blocks->plan->block_rows;
    block->element = batch->element;
    for (size_t i = 0; i < block->n; i++) {
        block->x[i] = batch_x(batch, first + i);
        if (batch->y != NULL)
            block->y[i] = batch->y[batch_row(batch, first + i)];
    }
}

/* Looks up the block after the current one, and the rows to prefetch, which may go on past that block and past the
 * batch. */
static void look_up_next(struct block_iterator *blocks)
{
    const struct batch_view *batch = blocks->batch;
    struct block *next = &blocks->blocks[blocks->block == blocks->blocks];
    const size_t left = batch->n + next_rows(batch) - blocks->next;
    if (batch->element == ELEMENT_U8 && blocks->block->n > 0)
        for (size_t i = 0; i < U8_ROWS_PAST_END; i++)
            blocks->block->x[blocks->block->n + i] = i < left
                                                         ? batch_x(batch, blocks->next + i)
                                                         : blocks->block->x[blocks->block->n - 1];
    if (left == 0) { /* a call with one sample would notice the time of the rest */
        next->n = 0;
        blocks->prefetch = (struct prefetch){0};
        return;
    }
    look_up(blocks, next, blocks->next);
    const size_t wanted = blocks->plan->prefetch_rows, n = wanted < left ? wanted : left;
    for (size_t i = next->n; i < n; i++)
        next->x[i] = batch_x(batch, blocks->next + i);
    blocks->prefetch =
        prefetch_of(next->x, n, blocks->plan->d * element_bytes(batch->element), blocks->pace);
}

void downhill_block_first(struct block_iterator *blocks, const struct batch_view *batch,
                          const struct plan *plan)
{
    blocks->batch = batch;
    blocks->plan = plan;
    blocks->pace = plan->prefetch_pace;
    blocks->first = 0;
    blocks->block = blocks->blocks;
    look_up(blocks, blocks->block, 0);
    blocks->next = blocks->block->n;
    look_up_next(blocks);
}

void downhill_block_next(struct block_iterator *blocks)
{
    blocks->first = blocks->next;
    blocks->block = &blocks->blocks[blocks->block == blocks->blocks];
    blocks->next += blocks->block->n;
    look_up_next(blocks);
}
