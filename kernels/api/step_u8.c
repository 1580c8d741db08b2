/* SPDX-License-Identifier: MIT
 *
 * The fused minibatch step on bytes, block by block as in step.c. */
#define _POSIX_C_SOURCE 199309L
#include "driver/packed_u8.h"
#include "driver/profile.h"

#include <math.h>
#include <string.h>

/* Leading dimensions of scratch, in whole cache lines. */
static size_t scores_ld(size_t c)
{
    return (c + LINE_BYTES / sizeof(double) - 1) / (LINE_BYTES / sizeof(double)) *
           (LINE_BYTES / sizeof(double));
}

static size_t dscores_ld(size_t c)
{
    return (c + LINE_BYTES / sizeof(int16_t) - 1) / (LINE_BYTES / sizeof(int16_t)) *
           (LINE_BYTES / sizeof(int16_t));
}

/* Scratch of a block, and the sums of a step. */
struct scratch {
    double *scores;
    int16_t *dscores;
    downhill_sums_u8 sums;
};

size_t downhill_workspace_u8(size_t d, size_t c)
{
    if (d == 0 || d > DOWNHILL_U8_D_MAX || c == 0 || c > DOWNHILL_U8_C_MAX)
        return 0;
    return rows_u8(d) * (scores_ld(c) * sizeof(double) + dscores_ld(c) * sizeof(int16_t)) +
           (c * spread_ld(d) + c) * sizeof(int32_t) + LINE_BYTES; /* to align it by */
}

static struct scratch scratch_in(void *workspace, size_t d, size_t c)
{
    const uintptr_t start = ((uintptr_t)workspace + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    struct scratch s;
    s.scores = (double *)start;
    s.dscores = (int16_t *)(s.scores + rows_u8(d) * scores_ld(c));
    int32_t *sums = (int32_t *)(s.dscores + rows_u8(d) * dscores_ld(c));
    s.sums = (downhill_sums_u8){sums, spread_ld(d), sums + c * spread_ld(d), d, c};
    return s;
}

static downhill_status check(const downhill_kernels **kernels, const struct samples *batch,
                             const void *packed, float delta, const void *workspace,
                             size_t workspace_bytes)
{
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if (packed == NULL || workspace == NULL)
        return DOWNHILL_ERR_NULL;
    if ((status = downhill_check_kernels(kernels)) != DOWNHILL_OK ||
        (status = downhill_check_packed_u8(*kernels, p)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, p->d)) != DOWNHILL_OK ||
        (status = downhill_check_loss((downhill_loss){DOWNHILL_HINGE, delta})) != DOWNHILL_OK)
        return status;
    if (workspace_bytes < downhill_workspace_u8(p->d, p->c))
        return DOWNHILL_ERR_WORKSPACE;
    if (p->c - 1 > DOWNHILL_U8_NC_MAX / batch->n)
        return DOWNHILL_ERR_RANGE;
    return downhill_check_labels(batch, p->c);
}

/* Takes the samples without a violated margin out of a block, as in step.c. */
static void drop_satisfied(struct block *block, size_t c, int16_t *dscores, size_t ldds)
{
    size_t kept = 0;
    for (size_t i = 0; i < block->n; i++) {
        if (dscores[i * ldds + (size_t)block->y[i]] == 0)
            continue;
        if (kept < i) {
            block->x[kept] = block->x[i];
            memcpy(dscores + kept * ldds, dscores + i * ldds, c * sizeof *dscores);
        }
        kept++;
    }
    block->n = kept;
}

static double loss_grad(const downhill_kernels *kernels, const struct samples *batch,
                        const struct packed_u8 *packed, float delta, const struct scratch *scratch,
                        const downhill_sums_u8 *sums, downhill_profile *profile, uint64_t *last_ns)
{
    downhill_profile none;
    downhill_profile *p = profile != NULL ? profile : &none;
    const size_t d = packed->d, c = packed->c, lds = scores_ld(c), ldds = dscores_ld(c);
    double units = 0.0;
    struct walk walk;
    downhill_walk_begin(&walk, batch, d, rows_u8(d), 1);
    while (walk.block->n > 0) {
        charge(profile, &p->gather_ns, last_ns);
        downhill_block_score_u8(packed, walk.block, scratch->scores, lds, &walk.prefetch);
        charge(profile, &p->score_ns, last_ns);
        units += kernels->u8->hinge(walk.block->n, c, scratch->scores, lds, walk.block->y,
                                    (double)delta, scratch->dscores, ldds);
        drop_satisfied(walk.block, c, scratch->dscores, ldds);
        charge(profile, &p->loss_ns, last_ns);
        downhill_block_grad_u8(kernels, walk.block, scratch->dscores, ldds,
                               walk.first > 0 ? GRAD_ACCUMULATE : 0, sums, &walk.prefetch);
        charge(profile, &p->grad_ns, last_ns);
        walk.pace = 2 * walk.block->n < walk.behind - walk.first ? 2 : 1;
        downhill_walk_next(&walk);
    }
    return units * DOWNHILL_LOSS_UNIT;
}

downhill_status downhill_loss_grad_u8(const downhill_kernels *kernels,
                                      const downhill_batch_u8 *batch, const void *packed,
                                      float delta, const downhill_sums_u8 *sums, double *loss_sum,
                                      void *workspace, size_t workspace_bytes,
                                      downhill_profile *profile)
{
    uint64_t last_ns = profile != NULL ? now_ns() : 0;
    const struct samples samples = samples_u8(batch);
    const struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = check(&kernels, &samples, packed, delta, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (status = downhill_check_sums_u8(sums)) != DOWNHILL_OK)
        return status;
    if (sums->d != p->d || sums->c != p->c)
        return DOWNHILL_ERR_SIZE;
    const struct scratch scratch = scratch_in(workspace, p->d, p->c);
    const double sum = loss_grad(kernels, &samples, p, delta, &scratch, sums, profile, &last_ns);
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}

/* A step on one sample is bound by the passes over W, so that its gradient makes none of its own: the
 * update multiplies the sample by the dscores. */
static double step_of_one(const downhill_kernels *kernels, const struct samples *batch,
                          const downhill_weights_f32 *weights, float delta, float decay, float step,
                          const struct scratch *scratch, struct packed_u8 *packed,
                          downhill_profile *profile, uint64_t *last_ns)
{
    downhill_profile none;
    downhill_profile *p = profile != NULL ? profile : &none;
    struct walk walk;
    downhill_walk_begin(&walk, batch, packed->d, rows_u8(packed->d), 1);
    charge(profile, &p->gather_ns, last_ns);
    downhill_block_score_u8(packed, walk.block, scratch->scores, packed->c, &walk.prefetch);
    charge(profile, &p->score_ns, last_ns);
    const double units = kernels->u8->hinge(1, packed->c, scratch->scores, packed->c, walk.block->y,
                                            (double)delta, scratch->dscores, packed->c);
    charge(profile, &p->loss_ns, last_ns);
    downhill_update_packed_u8_by_one(weights, walk.block->x[0], scratch->dscores, decay, step,
                                     scratch->sums.w, packed);
    charge(profile, &p->update_ns, last_ns);
    return units * DOWNHILL_LOSS_UNIT;
}

downhill_status downhill_step_u8(const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                 const downhill_weights_f32 *weights, float delta, float decay,
                                 float step, double *loss_sum, void *packed, void *workspace,
                                 size_t workspace_bytes, downhill_profile *profile)
{
    uint64_t last_ns = profile != NULL ? now_ns() : 0;
    const struct samples samples = samples_u8(batch);
    struct packed_u8 *p = downhill_packed_u8_in(packed);
    downhill_status status;
    if ((status = check(&kernels, &samples, packed, delta, workspace, workspace_bytes)) !=
            DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK)
        return status;
    if (weights->d != p->d || weights->c != p->c)
        return DOWNHILL_ERR_PACKED;
    if (!isfinite(decay) || !isfinite(step))
        return DOWNHILL_ERR_PARAMETER;
    const struct scratch scratch = scratch_in(workspace, p->d, p->c);
    double sum;
    if (samples.n == 1) {
        sum = step_of_one(kernels, &samples, weights, delta, decay, step, &scratch, p, profile,
                          &last_ns);
    } else {
        sum = loss_grad(kernels, &samples, p, delta, &scratch, &scratch.sums, profile, &last_ns);
        downhill_update_packed_u8(weights, &scratch.sums, decay, step, p);
        if (profile != NULL)
            charge(profile, &profile->update_ns, &last_ns);
    }
    if (loss_sum != NULL)
        *loss_sum = sum;
    return DOWNHILL_OK;
}
