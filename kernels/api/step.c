/* SPDX-License-Identifier: MIT
 *
 * The fused minibatch step. For each block of rows that fits L2: scores, loss, gradient; then,
 * once, the update. X crosses the memory bus once, where a chain of whole-batch calls reads it
 * twice, and it does so while the block before is at work; only the scores of one block are ever
 * held, and samples that the hinge loss is satisfied with take no part in the gradient. */
#define _POSIX_C_SOURCE 199309L
#include "driver/blocking.h"
#include "driver/profile.h"
#include "simd/tiles.h"

#include <string.h>

enum { LINE = 64 };

/* A row of scores starts on a cache line, so that no vector of a row straddles one. */
static size_t scores_ld(size_t c)
{
    return (c + LINE / sizeof(float) - 1) / (LINE / sizeof(float)) * (LINE / sizeof(float));
}

/* A small gradient is summed in the workspace, with rows that do not get in each other's way. A
 * large one is summed where it is, in larger blocks, so that it is read and written less often. */
static int sums_in_workspace(size_t d, size_t c)
{
    return is_near(c, spread_ld(d));
}

static size_t scores_rows(size_t d, size_t c)
{
    return sums_in_workspace(d, c) ? rows_in(BLOCK_BYTES, d) : BLOCK_ROWS_MAX;
}

size_t downhill_workspace_f32(size_t d, size_t c)
{
    if (d == 0 || c == 0 || c > INT32_MAX || d > PTRDIFF_MAX / sizeof(float) / c)
        return 0;
    const size_t row_bytes = scores_ld(c) * sizeof(float);
    if (row_bytes > (PTRDIFF_MAX - 2 * NEAR_BYTES - LINE) / scores_rows(d, c))
        return 0;
    const size_t sums_bytes = sums_in_workspace(d, c) ? c * spread_ld(d) * sizeof(float) : 0;
    const size_t packed_bytes = sums_in_workspace(d, c) ? c * packed_ld(d) * sizeof(float) : 0;
    return scores_rows(d, c) * row_bytes + sums_bytes + packed_bytes + LINE; /* to align it by */
}

static downhill_status check(const downhill_kernels **kernels, const struct samples *batch,
                             const downhill_weights_f32 *weights, downhill_loss loss,
                             const downhill_weights_f32 *grad, const void *workspace,
                             size_t workspace_bytes)
{
    downhill_status status;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (weights->d != grad->d || weights->c != grad->c)
        return DOWNHILL_ERR_SIZE;
    if (workspace == NULL)
        return DOWNHILL_ERR_NULL;
    const size_t need = downhill_workspace_f32(weights->d, weights->c);
    if (need == 0 || workspace_bytes < need)
        return DOWNHILL_ERR_WORKSPACE;
    return downhill_check_labels(batch, weights->c);
}

/* Takes the samples without a violated margin out of a block after the hinge loss: all their dscores
 * are 0, that of the label, which is minus their number, among them. Late in training that is most of
 * the samples, and half of the work of each. */
static void drop_satisfied(struct block *block, size_t c, float *dscores, size_t lds)
{
    size_t kept = 0;
    for (size_t i = 0; i < block->n; i++) {
        if (dscores[i * lds + (size_t)block->y[i]] == 0.0f)
            continue;
        if (kept < i) {
            block->x[kept] = block->x[i];
            memcpy(dscores + kept * lds, dscores + i * lds, c * sizeof *dscores);
        }
        kept++;
    }
    block->n = kept;
}

/* Loss and gradient of a checked batch; the clock goes on from *last_ns. */
static double loss_grad(const downhill_kernels *kernels, const struct samples *batch,
                        const downhill_weights_f32 *weights, downhill_loss loss,
                        const downhill_weights_f32 *grad, void *workspace,
                        downhill_profile *profile, uint64_t *last_ns)
{
    downhill_profile none;
    downhill_profile *p = profile != NULL ? profile : &none;
    const size_t d = weights->d, c = weights->c, lds = scores_ld(c);
    const size_t most = sums_in_workspace(d, c) ? block_rows(batch, d) : BLOCK_ROWS_MAX;
    float *scores = (float *)(((uintptr_t)workspace + LINE - 1) / LINE * LINE);
    const downhill_weights_f32 sums =
        sums_in_workspace(d, c) && batch->n >= PANEL_ROWS_MIN
            ? (downhill_weights_f32){scores + scores_rows(d, c) * lds, spread_ld(d), grad->b, d, c}
            : *grad;

    const struct downhill_packed_score *how =
        packed_score(kernels, batch->element, batch->n, d, weights->ldw, is_far(batch));
    float *packed = NULL;
    if (how != NULL && sums_in_workspace(d, c)) {
        packed = scores + scores_rows(d, c) * lds + c * spread_ld(d);
        downhill_pack_weights(how, weights, packed);
    }

    double sum = 0.0;
    struct walk walk;
    downhill_walk_begin(&walk, batch, d, most, 1);
    while (walk.block->n > 0) {
        charge(profile, &p->gather_ns, last_ns);
        downhill_block_score(kernels, walk.block, weights, how, packed, scores, lds,
                             &walk.prefetch);
        charge(profile, &p->score_ns, last_ns);
        sum += downhill_block_loss(kernels, walk.block, c, loss, scores, lds);
        if (loss.kind == DOWNHILL_HINGE)
            drop_satisfied(walk.block, c, scores, lds);
        charge(profile, &p->loss_ns, last_ns);
        downhill_block_grad(kernels, walk.block, scores, lds, walk.first > 0 ? GRAD_ACCUMULATE : 0,
                            &sums, &walk.prefetch);
        charge(profile, &p->grad_ns, last_ns);
        /* Where few samples are left for the gradient, the next but one block must come during the
         * scores. */
        walk.pace = 2 * walk.block->n < walk.behind - walk.first ? 2 : 1;
        downhill_walk_next(&walk);
    }
    for (size_t j = 0; sums.w != grad->w && j < c; j++)
        memcpy(grad->w + j * grad->ldw, sums.w + j * sums.ldw, d * sizeof *grad->w);
    charge(profile, &p->grad_ns, last_ns);
    return sum;
}

/* What follows the gradient, if anything does. */
struct update {
    float decay, step;
};

static downhill_status run(const downhill_kernels *kernels, const struct samples *batch,
                           const downhill_weights_f32 *weights, downhill_loss loss,
                           const struct update *update, const downhill_weights_f32 *grad,
                           double *loss_sum, void *workspace, size_t workspace_bytes,
                           downhill_profile *profile)
{
    uint64_t last_ns = profile != NULL ? now_ns() : 0;
    downhill_status status;
    if ((status = check(&kernels, batch, weights, loss, grad, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (update != NULL && (status = downhill_check_update(weights, grad, update->decay,
                                                           update->step)) != DOWNHILL_OK))
        return status;
    if (profile != NULL)
        charge(profile, &profile->gather_ns, &last_ns);
    const double sum = loss_grad(kernels, batch, weights, loss, grad, workspace, profile, &last_ns);
    if (update != NULL) {
        downhill_update_checked(kernels, weights, grad, update->decay, update->step);
        if (profile != NULL)
            charge(profile, &profile->update_ns, &last_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}

downhill_status downhill_loss_grad_f32(const downhill_kernels *kernels,
                                       const downhill_batch_f32 *batch,
                                       const downhill_weights_f32 *weights, downhill_loss loss,
                                       const downhill_weights_f32 *grad, double *loss_sum,
                                       void *workspace, size_t workspace_bytes,
                                       downhill_profile *profile)
{
    const struct samples samples = samples_f32(batch);
    return run(kernels, &samples, weights, loss, NULL, grad, loss_sum, workspace, workspace_bytes,
               profile);
}

downhill_status downhill_loss_grad_bf16(const downhill_kernels *kernels,
                                        const downhill_batch_bf16 *batch,
                                        const downhill_weights_f32 *weights, downhill_loss loss,
                                        const downhill_weights_f32 *grad, double *loss_sum,
                                        void *workspace, size_t workspace_bytes,
                                        downhill_profile *profile)
{
    const struct samples samples = samples_bf16(batch);
    return run(kernels, &samples, weights, loss, NULL, grad, loss_sum, workspace, workspace_bytes,
               profile);
}

downhill_status downhill_step_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const downhill_weights_f32 *weights, downhill_loss loss,
                                  float decay, float step, const downhill_weights_f32 *grad,
                                  double *loss_sum, void *workspace, size_t workspace_bytes,
                                  downhill_profile *profile)
{
    const struct samples samples = samples_f32(batch);
    const struct update update = {decay, step};
    return run(kernels, &samples, weights, loss, &update, grad, loss_sum, workspace,
               workspace_bytes, profile);
}

downhill_status downhill_step_bf16(const downhill_kernels *kernels,
                                   const downhill_batch_bf16 *batch,
                                   const downhill_weights_f32 *weights, downhill_loss loss,
                                   float decay, float step, const downhill_weights_f32 *grad,
                                   double *loss_sum, void *workspace, size_t workspace_bytes,
                                   downhill_profile *profile)
{
    const struct samples samples = samples_bf16(batch);
    const struct update update = {decay, step};
    return run(kernels, &samples, weights, loss, &update, grad, loss_sum, workspace,
               workspace_bytes, profile);
}
