/* SPDX-License-Identifier: MIT
 *
 * Scores. */
#include "api/check.h"
#include "driver/batch_plan.h"
#include "driver/block_score.h"

static downhill_status score(const downhill_kernels *kernels, const struct batch_view *batch,
                             const downhill_weights_f32 *weights, const downhill_matrix_f32 *scores)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = check_matrix_f32(scores, batch->n, weights->c)) != DOWNHILL_OK)
        return status;
    const struct plan plan = downhill_batch_plan(kernels, batch, OPERATION_SCORE, weights->d,
                                                 weights->c, weights->ldw, 0);
    struct block_iterator blocks;
    for (downhill_block_first(&blocks, batch, &plan); blocks.block->n > 0;
         downhill_block_next(&blocks))
        downhill_block_score(kernels, &plan, blocks.block, weights, NULL,
                             scores->data + blocks.first * scores->ld, scores->ld,
                             &blocks.prefetch);
    return DOWNHILL_OK;
}

downhill_status downhill_score_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights,
                                   const downhill_matrix_f32 *scores)
{
    const struct batch_view view = without_labels(view_f32(batch));
    return score(kernels, &view, weights, scores);
}

downhill_status downhill_score_bf16(const downhill_kernels *kernels,
                                    const downhill_batch_bf16 *batch,
                                    const downhill_weights_f32 *weights,
                                    const downhill_matrix_f32 *scores)
{
    const struct batch_view view = without_labels(view_bf16(batch));
    return score(kernels, &view, weights, scores);
}

downhill_status downhill_score_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                  const downhill_packed_u8 *packed,
                                  const downhill_matrix_f64 *scores)
{
    const struct batch_view view = without_labels(view_u8(batch));
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(kernels, packed)) != DOWNHILL_OK ||
        (status = downhill_check_batch(&view, p->d)) != DOWNHILL_OK ||
        (status = check_matrix_f64(scores, view.n, p->c)) != DOWNHILL_OK)
        return status;
    const struct plan plan = downhill_batch_plan(kernels, &view, OPERATION_SCORE, p->d, p->c, 0, 0);
    struct block_iterator blocks;
    for (downhill_block_first(&blocks, &view, &plan); blocks.block->n > 0;
         downhill_block_next(&blocks))
        downhill_block_score_u8(&plan, p, blocks.block, scores->data + blocks.first * scores->ld,
                                scores->ld);
    return DOWNHILL_OK;
}
