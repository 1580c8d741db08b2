/* SPDX-License-Identifier: MIT
 *
 * The single kernels as public functions: arguments checked, then block by block. */
#include "blocking.h"
#include "tiles.h"

#include <string.h>

void downhill_block_fill(struct block *block, const downhill_batch_f32 *batch, size_t first,
                         size_t n, int with_labels)
{
    block->n = n;
    for (size_t i = 0; i < n; i++) {
        const size_t row = batch_row(batch, first + i);
        block->x[i] = batch->x + row * batch->ldx;
        if (with_labels)
            block->y[i] = batch->y[row];
    }
}

void downhill_block_score(const downhill_kernels *kernels, const struct block *block,
                          const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    const size_t d = weights->d, c = weights->c;
    for (size_t i = 0; i < block->n; i++) {
        if (weights->b != NULL)
            memcpy(scores + i * lds, weights->b, c * sizeof *scores);
        else
            memset(scores + i * lds, 0, c * sizeof *scores);
    }
    const float *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_tile(d - k, CHUNK_FEATURES);
        /* Whole cache lines, so that aligned rows stay aligned in every chunk. */
        chunk = chunk == d - k ? chunk : (chunk + 15) / 16 * 16;
        for (size_t i = 0; i < block->n; i++)
            x[i] = block->x[i] + k;
        kernels->score_f32(block->n, chunk, c, x, weights->w + k, weights->ldw, scores, lds);
    }
}

double downhill_block_loss(const downhill_kernels *kernels, const struct block *block, size_t c,
                           downhill_loss loss, float *scores, size_t lds)
{
    if (loss.kind == DOWNHILL_HINGE)
        return kernels->hinge_f32(block->n, c, scores, lds, block->y, loss.delta, scores, lds);
    return kernels->softmax_f32(block->n, c, scores, lds, block->y, scores, lds);
}

static void clear(const downhill_weights_f32 *grad)
{
    for (size_t j = 0; j < grad->c; j++)
        memset(grad->w + j * grad->ldw, 0, grad->d * sizeof *grad->w);
    if (grad->b != NULL)
        memset(grad->b, 0, grad->c * sizeof *grad->b);
}

static void add_panel(const float *panel, size_t d, size_t c, unsigned flags, float *dw,
                      size_t lddw)
{
    for (size_t j = 0; j < c; j++) {
        const float *from = panel + j * PANEL_LD;
        float *to = dw + j * lddw;
        if (!(flags & GRAD_ACCUMULATE))
            memcpy(to, from, d * sizeof *to);
        else
            for (size_t k = 0; k < d; k++)
                to[k] += from[k];
    }
}

void downhill_block_grad(const downhill_kernels *kernels, const struct block *block,
                         const float *dscores, size_t ldds, unsigned flags,
                         const downhill_weights_f32 *grad)
{
    const size_t n = block->n, ldw = grad->ldw;
    if (n == 0) { /* a step whose samples are all satisfied */
        if (!(flags & GRAD_ACCUMULATE))
            clear(grad);
        return;
    }
    const int direct = n < PANEL_ROWS_MIN || is_near(grad->c, ldw);
    const float *x[BLOCK_ROWS_MAX + ROWS_AHEAD];
    for (size_t k = 0, features; k < grad->d; k += features) {
        features = grad->d - k < PANEL_FEATURES ? grad->d - k : PANEL_FEATURES;
        for (size_t i = 0; i < n; i++)
            x[i] = block->x[i] + k;
        for (size_t i = n; i < n + ROWS_AHEAD; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < grad->c; j += classes) {
            classes = next_tile(grad->c - j, PANEL_CLASSES);
            float *dw = grad->w + j * ldw + k;
            if (direct) {
                kernels->grad_f32(n, features, classes, x, dscores + j, ldds, flags, dw, ldw);
            } else {
                _Alignas(64) float panel[PANEL_CLASSES * PANEL_LD];
                kernels->grad_f32(n, features, classes, x, dscores + j, ldds,
                                  flags & ~(unsigned)GRAD_ACCUMULATE, panel, PANEL_LD);
                add_panel(panel, features, classes, flags, dw, ldw);
            }
        }
    }
    if (grad->b == NULL)
        return;
    if (!(flags & GRAD_ACCUMULATE))
        memset(grad->b, 0, grad->c * sizeof *grad->b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < grad->c; j++)
            grad->b[j] += dscores[i * ldds + j];
}

void downhill_update_checked(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                             const downhill_weights_f32 *grad, float decay, float step)
{
    for (size_t j = 0; j < weights->c; j++)
        kernels->update_f32(weights->d, decay, step, grad->w + j * grad->ldw,
                            weights->w + j * weights->ldw);
    if (weights->b != NULL)
        kernels->update_f32(weights->c, 1.0f, step, grad->b, weights->b);
}

downhill_status downhill_score_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, weights->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(scores, batch->n, weights->c, lds)) != DOWNHILL_OK)
        return status;

    struct block block;
    for (size_t i = 0; i < batch->n; i += block.n) {
        const size_t left = batch->n - i, most = block_rows(weights->d);
        downhill_block_fill(&block, batch, i, left < most ? left : most, 0);
        downhill_block_score(kernels, &block, weights, scores + i * lds, lds);
    }
    return DOWNHILL_OK;
}

/* The two losses differ in the kernel that is called for each block. */
static downhill_status loss_of_scores(const downhill_kernels *kernels, downhill_loss loss, size_t n,
                                      size_t c, const float *scores, size_t lds, const int32_t *y,
                                      float *dscores, size_t ldds, double *sum)
{
    const downhill_batch_f32 labels = {.y = y, .n = n};
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(scores, n, c, lds)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(dscores, n, c, ldds)) != DOWNHILL_OK ||
        (status = downhill_check_loss(loss)) != DOWNHILL_OK)
        return status;
    if (sum == NULL)
        return DOWNHILL_ERR_NULL;
    if (c > INT32_MAX)
        return DOWNHILL_ERR_SIZE;
    if (scores == dscores && lds != ldds)
        return DOWNHILL_ERR_LD;
    if ((status = downhill_check_labels(&labels, c)) != DOWNHILL_OK)
        return status;

    double total = 0.0;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < BLOCK_ROWS_MAX ? n - i : BLOCK_ROWS_MAX;
        const float *s = scores + i * lds;
        float *ds = dscores + i * ldds;
        total += loss.kind == DOWNHILL_HINGE
                     ? kernels->hinge_f32(rows, c, s, lds, y + i, loss.delta, ds, ldds)
                     : kernels->softmax_f32(rows, c, s, lds, y + i, ds, ldds);
    }
    *sum = total;
    return DOWNHILL_OK;
}

downhill_status downhill_hinge_f32(const downhill_kernels *kernels, size_t n, size_t c,
                                   const float *scores, size_t lds, const int32_t *y, float delta,
                                   float *dscores, size_t ldds, double *loss)
{
    const downhill_loss hinge = {DOWNHILL_HINGE, delta};
    return loss_of_scores(kernels, hinge, n, c, scores, lds, y, dscores, ldds, loss);
}

downhill_status downhill_softmax_f32(const downhill_kernels *kernels, size_t n, size_t c,
                                     const float *scores, size_t lds, const int32_t *y,
                                     float *dscores, size_t ldds, double *loss)
{
    const downhill_loss softmax = {DOWNHILL_SOFTMAX, 0.0f};
    return loss_of_scores(kernels, softmax, n, c, scores, lds, y, dscores, ldds, loss);
}

downhill_status downhill_grad_f32(const downhill_kernels *kernels, const downhill_batch_f32 *batch,
                                  const float *dscores, size_t ldds, int accumulate,
                                  const downhill_weights_f32 *grad)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_batch(batch, grad->d)) != DOWNHILL_OK ||
        (status = downhill_check_matrix(dscores, batch->n, grad->c, ldds)) != DOWNHILL_OK)
        return status;

    struct block block;
    for (size_t i = 0; i < batch->n; i += block.n) {
        const size_t left = batch->n - i;
        downhill_block_fill(&block, batch, i, left < BLOCK_ROWS_MAX ? left : BLOCK_ROWS_MAX, 0);
        downhill_block_grad(kernels, &block, dscores + i * ldds, ldds,
                            GRAD_X_FAR | (accumulate || i > 0 ? GRAD_ACCUMULATE : 0u), grad);
    }
    return DOWNHILL_OK;
}

downhill_status downhill_update_f32(const downhill_kernels *kernels,
                                    const downhill_weights_f32 *weights,
                                    const downhill_weights_f32 *grad, float decay, float step)
{
    downhill_status status;
    if ((status = downhill_check_kernels(&kernels)) != DOWNHILL_OK ||
        (status = downhill_check_weights(weights)) != DOWNHILL_OK ||
        (status = downhill_check_weights(grad)) != DOWNHILL_OK ||
        (status = downhill_check_update(weights, grad, decay, step)) != DOWNHILL_OK)
        return status;
    downhill_update_checked(kernels, weights, grad, decay, step);
    return DOWNHILL_OK;
}
