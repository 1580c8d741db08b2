/* SPDX-License-Identifier: MIT
 *
 * A batch in blocks of rows, and the work on one block, cut so that it stays in the caches. */
#include "driver/blocking.h"
#include "simd/tiles.h"

#include <string.h>

/* Looks up the block that starts with sample `first`, and makes what comes behind the one before. */
static void look_up(struct walk *walk, struct block *block, size_t first)
{
    const struct samples *batch = walk->batch;
    const size_t left = batch->n - first;
    block->n = left < walk->most ? left : walk->most;
    block->far = is_far(batch);
    block->element = batch->element;
    for (size_t i = 0; i < block->n; i++) {
        block->x[i] = batch_x(batch, first + i);
        if (batch->y != NULL)
            block->y[i] = batch->y[batch_row(batch, first + i)];
    }
}

static void look_ahead(struct walk *walk)
{
    const struct samples *batch = walk->batch;
    struct block *next = &walk->blocks[walk->block == walk->blocks];
    look_up(walk, next, walk->behind);
    size_t n = 0;
    if (is_far(batch)) {
        const size_t fit = block_rows(batch, walk->d);
        const size_t left = batch->n + next_rows(batch) - walk->behind;
        n = fit < left ? fit : left;
        for (size_t i = next->n; i < n; i++)
            next->x[i] = batch_x(batch, walk->behind + i);
    }
    walk->prefetch = prefetch_of(next->x, n, walk->d * element_bytes(batch->element), walk->pace);
}

void downhill_walk_begin(struct walk *walk, const struct samples *batch, size_t d, size_t most,
                         size_t pace)
{
    walk->pace = pace;
    walk->batch = batch;
    walk->d = d;
    walk->most = most;
    walk->first = 0;
    walk->block = walk->blocks;
    look_up(walk, walk->block, 0);
    walk->behind = walk->block->n;
    look_ahead(walk);
}

void downhill_walk_next(struct walk *walk)
{
    walk->first = walk->behind;
    walk->block = &walk->blocks[walk->block == walk->blocks];
    walk->behind += walk->block->n;
    look_ahead(walk);
}

/* For each `lanes` features those of the first class, of the second, …; zeros behind the last feature
 * let the last of them be whole. */
static inline void pack(const size_t lanes, size_t d, size_t c, const float *w, size_t ldw,
                        float *packed)
{
    for (size_t k = 0; k < d; k += lanes)
        for (size_t j = 0; j < c; j++, packed += lanes) {
            if (k + lanes <= d) {
                memcpy(packed, w + j * ldw + k, lanes * sizeof *packed);
            } else {
                memset(packed, 0, lanes * sizeof *packed);
                memcpy(packed, w + j * ldw + k, (d - k) * sizeof *packed);
            }
        }
}

void downhill_pack_f32x8(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack(8, d, c, w, ldw, packed);
}

void downhill_pack_f32x16(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    pack(16, d, c, w, ldw, packed);
}

void downhill_pack_weights(const struct downhill_packed_score *how,
                           const downhill_weights_f32 *weights, float *packed)
{
    for (size_t j = 0, classes; j < weights->c; j += classes) {
        classes = next_tile(weights->c - j, how->classes);
        how->pack(weights->d, classes, weights->w + j * weights->ldw, weights->ldw,
                  packed + j * packed_ld(weights->d));
    }
}

static void start_from_bias(const struct block *block, const downhill_weights_f32 *weights,
                            float *scores, size_t lds)
{
    for (size_t i = 0; i < block->n; i++) {
        if (weights->b != NULL)
            memcpy(scores + i * lds, weights->b, weights->c * sizeof *scores);
        else
            memset(scores + i * lds, 0, weights->c * sizeof *scores);
    }
}

/* The rows of a block from feature k on. */
static void rows_at(const struct block *block, size_t k, const void *x[])
{
    for (size_t i = 0; i < block->n; i++)
        x[i] = feature_at(block->element, block->x[i], k);
}

/* The next chunk of features: nearly equal chunks of whole cache lines, so that aligned rows stay
 * aligned in every chunk, and of whole groups where the weights are packed. */
static inline size_t next_chunk(size_t left, size_t most)
{
    const size_t chunk = next_tile(left, most);
    return chunk == left ? chunk : (chunk + PACK_GROUP - 1) / PACK_GROUP * PACK_GROUP;
}

static void score_plain(const downhill_kernels *kernels, const struct block *block,
                        const downhill_weights_f32 *weights, float *scores, size_t lds,
                        struct prefetch *prefetch)
{
    downhill_score_kernel *score =
        block->element == ELEMENT_F32 ? kernels->score_f32 : kernels->score_bf16;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < weights->d; k += chunk) {
        /* One sample uses each weight once, so that its own features are all that must stay in L1. */
        chunk = next_chunk(weights->d - k, block->n == 1 ? 4 * CHUNK_FEATURES : CHUNK_FEATURES);
        rows_at(block, k, x);
        score(block->n, chunk, weights->c, x, weights->w + k, weights->ldw, scores, lds, prefetch);
    }
}

/* With W packed already. */
static void score_packed(const struct downhill_packed_score *how, const struct block *block,
                         const downhill_weights_f32 *weights, const float *packed, float *scores,
                         size_t lds, struct prefetch *prefetch)
{
    const size_t d = weights->d, c = weights->c;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_chunk(d - k, PACK_WEIGHTS / how->classes);
        rows_at(block, k, x);
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, how->classes);
            how->score(block->n, chunk, classes, x, packed + j * packed_ld(d) + k * classes,
                       scores + j, lds, prefetch);
        }
    }
}

/* Packing W piece by piece. The chunk of X stays in L2 for all the classes; where the rows come from
 * memory, it is fetched some rows ahead. */
static void score_packing(const struct downhill_packed_score *how, const struct block *block,
                          const downhill_weights_f32 *weights, float *scores, size_t lds)
{
    const size_t n = block->n, d = weights->d, c = weights->c;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_chunk(d - k, block->far ? FAR_FEATURES : PACK_WEIGHTS / how->classes);
        rows_at(block, k, x);
        const size_t ahead_rows = block->far && n > FETCH_ROWS ? n - FETCH_ROWS : 0;
        struct prefetch prefetch =
            prefetch_of(x + n - ahead_rows, ahead_rows, chunk * element_bytes(block->element), 2);
        for (size_t j = 0, classes; j < c; j += classes) {
            _Alignas(64) float panel[PACK_WEIGHTS];
            classes = next_tile(c - j, how->classes);
            how->pack(chunk, classes, weights->w + j * weights->ldw + k, weights->ldw, panel);
            how->score(n, chunk, classes, x, panel, scores + j, lds, &prefetch);
        }
    }
}

void downhill_block_score(const downhill_kernels *kernels, const struct block *block,
                          const downhill_weights_f32 *weights,
                          const struct downhill_packed_score *how, const float *packed,
                          float *scores, size_t lds, struct prefetch *prefetch)
{
    start_from_bias(block, weights, scores, lds);
    if (how == NULL || (packed == NULL && block->n < how->n_min))
        score_plain(kernels, block, weights, scores, lds, prefetch);
    else if (packed != NULL)
        score_packed(how, block, weights, packed, scores, lds, prefetch);
    else
        score_packing(how, block, weights, scores, lds);
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
                         const downhill_weights_f32 *grad, struct prefetch *prefetch)
{
    const size_t n = block->n, ldw = grad->ldw;
    if (n == 0) { /* a step whose samples are all satisfied */
        if (!(flags & GRAD_ACCUMULATE))
            clear(grad);
        return;
    }
    downhill_grad_kernel *kernel =
        block->element == ELEMENT_F32 ? kernels->grad_f32 : kernels->grad_bf16;
    const int few = n < PANEL_ROWS_MIN;
    const int far = is_large(grad->c, ldw) && n >= kernels->grad_direct_min;
    const int direct = few || far || is_near(grad->c, ldw);
    const size_t most = few ? grad->d : far ? FEATURES_OF_FAR : PANEL_FEATURES;
    const size_t most_classes = few && collides(ldw) ? FEW_CLASSES : PANEL_CLASSES;
    flags |= far ? GRAD_DW_FAR : 0u;
    const void *x[BLOCK_ROWS_MAX + ROWS_PAST_END];
    for (size_t k = 0, features; k < grad->d; k += features) {
        features = grad->d - k < most ? grad->d - k : most;
        rows_at(block, k, x);
        for (size_t i = n; i < n + ROWS_PAST_END; i++)
            x[i] = x[n - 1];
        for (size_t j = 0, classes; j < grad->c; j += classes) {
            classes = next_tile(grad->c - j, most_classes);
            float *dw = grad->w + j * ldw + k;
            if (direct) {
                kernel(n, features, classes, x, dscores + j, ldds, flags, dw, ldw, prefetch);
            } else {
                _Alignas(64) float panel[PANEL_CLASSES * PANEL_LD];
                kernel(n, features, classes, x, dscores + j, ldds,
                       flags & ~(unsigned)GRAD_ACCUMULATE, panel, PANEL_LD, prefetch);
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
