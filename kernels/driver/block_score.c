/* SPDX-License-Identifier: MIT */
#include "driver/block_score.h"

#include "driver/packed_u8.h"
#include "driver/packing.h"
#include "simd/tiles.h"

#include <string.h>

/* A row of a packed chunk is prefetched this many rows before its turn: 56 KiB with 896 features. */
enum { FETCH_ROWS = 16 };

/* Size of the next chunk of features: chunks are nearly equal, and whole groups of packed weights, which are whole
 * cache lines too, so that aligned rows stay aligned in every chunk. */
static inline size_t next_chunk(size_t left, size_t max)
{
    const size_t chunk = next_tile(left, max);
    return chunk == left ? chunk : (chunk + PACK_GROUP - 1) / PACK_GROUP * PACK_GROUP;
}

/* Rows of a block, as many as a score_plan takes at a time, and their scores. */
struct part {
    enum element element;
    size_t n;
    const void *const *x;
    struct scores scores; /* of the first chunk of features */
};

/* Returns the scores of a block for its first chunk. Without a bias they start from zeros. */
static struct scores first_scores(size_t n, const downhill_weights_f32 *weights, float *scores,
                                  size_t lds)
{
    if (weights->b != NULL)
        return (struct scores){weights->b, 0, scores, lds};
    for (size_t i = 0; i < n; i++)
        memset(scores + i * lds, 0, weights->c * sizeof *scores);
    return (struct scores){scores, lds, scores, lds};
}

/* Returns the scores of a part for the chunk that starts at feature k. */
static struct scores scores_of_chunk(const struct part *part, size_t k)
{
    const struct scores s = part->scores;
    return k == 0 ? s : (struct scores){s.to, s.ld, s.to, s.ld};
}

static void score_unpacked(const downhill_kernels *kernels, const struct score_plan *plan,
                           const struct part *part, const downhill_weights_f32 *weights,
                           struct prefetch *prefetch)
{
    downhill_score_kernel *score =
        part->element == ELEMENT_F32 ? kernels->score_f32 : kernels->score_bf16;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < weights->d; k += chunk) {
        chunk = next_chunk(weights->d - k, plan->features);
        rows_at(part->element, part->n, part->x, k, x);
        const struct scores scores = scores_of_chunk(part, k);
        score(part->n, chunk, weights->c, x, weights->w + k, weights->ldw, &scores, prefetch);
    }
}

static void score_packed(const struct downhill_packing *packing, const struct score_plan *plan,
                         const struct part *part, const downhill_weights_f32 *weights,
                         const float *packed, struct prefetch *prefetch)
{
    const size_t d = weights->d, c = weights->c;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_chunk(d - k, plan->features);
        rows_at(part->element, part->n, part->x, k, x);
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, plan->classes);
            const struct scores scores = scores_at(scores_of_chunk(part, k), 0, j);
            packing->score(part->n, chunk, classes, x, packed + j * packed_ld(d) + k * classes,
                           &scores, prefetch);
        }
    }
}

/* Starts the prefetch of `classes` rows of W, from class j and feature k on. rows: room for their addresses. */
static struct prefetch prefetch_weights(const downhill_weights_f32 *weights, size_t j,
                                        size_t classes, size_t k, size_t chunk, const void **rows)
{
    for (size_t i = 0; i < classes; i++)
        rows[i] = weights->w + (j + i) * weights->ldw + k;
    return prefetch_of(rows, classes, chunk * sizeof *weights->w, 1);
}

/* Packs some panels and computes their scores a few rows at a time, so that a chunk of X is read from L3 once per
 * group of panels. If the plan has a pace, the chunk is prefetched FETCH_ROWS before its turn. Otherwise the kernel
 * first prefetches the weights of the next panels, if the plan says so, and then rows of X. */
static void score_pack_per_panel(const struct downhill_packing *packing,
                                 const struct score_plan *plan, const struct part *block,
                                 const downhill_weights_f32 *weights)
{
    const size_t n = block->n, d = weights->d, c = weights->c;
    const void *x[BLOCK_ROWS_MAX];
    for (size_t k = 0, chunk; k < d; k += chunk) {
        chunk = next_chunk(d - k, plan->features);
        rows_at(block->element, n, block->x, k, x);
        const size_t fetched = plan->pace > 0 && n > FETCH_ROWS ? n - FETCH_ROWS : 0;
        struct prefetch prefetch = prefetch_of(x + n - fetched, fetched,
                                               chunk * element_bytes(block->element), plan->pace);
        for (size_t j = 0, group; j < c; j += group) {
            _Alignas(64) float packed[PACK_WEIGHTS];
            struct {
                size_t first, classes;
                const float *w;
            } panel[PANELS_MAX];
            size_t panels = 0;
            float *next = packed;
            for (group = 0; panels < plan->panels && j + group < c; panels++) {
                const size_t first = j + group, classes = next_tile(c - first, plan->classes);
                packing->pack(chunk, classes, weights->w + first * weights->ldw + k, weights->ldw,
                              next);
                panel[panels].first = first;
                panel[panels].classes = classes;
                panel[panels].w = next;
                next += packed_ld(chunk) * classes;
                group += classes;
            }
            const void *w_rows[PANELS_MAX * PANEL_CLASSES];
            const size_t left = c - j - group;
            if (plan->prefetches_weights) /* none after the last panels */
                prefetch = prefetch_weights(weights, j + group, left < group ? left : group, k,
                                            chunk, w_rows);
            for (size_t i = 0, rows; i < n; i += rows) {
                rows = n - i < plan->rows ? n - i : plan->rows;
                for (size_t p = 0; p < panels; p++) {
                    const struct scores scores =
                        scores_at(scores_of_chunk(block, k), i, panel[p].first);
                    packing->score(rows, chunk, panel[p].classes, x + i, panel[p].w, &scores,
                                   &prefetch);
                }
            }
        }
    }
}

void downhill_block_score(const downhill_kernels *kernels, const struct plan *plan,
                          const struct block *block, const downhill_weights_f32 *weights,
                          const float *packed, float *scores, size_t lds, struct prefetch *prefetch)
{
    const struct score_plan score_plan = downhill_plan_score(plan, block->n);
    const struct scores first = first_scores(block->n, weights, scores, lds);
    if (score_plan.method == SCORE_PACK_PER_PANEL) {
        const struct part whole = {block->element, block->n, block->x, first};
        score_pack_per_panel(plan->packing, &score_plan, &whole, weights);
        return;
    }
    for (size_t i = 0, rows; i < block->n; i += rows) {
        rows = next_tile(block->n - i, score_plan.rows);
        const struct part part = {block->element, rows, block->x + i, scores_at(first, i, 0)};
        if (score_plan.method == SCORE_PACKED)
            score_packed(plan->packing, &score_plan, &part, weights, packed, prefetch);
        else
            score_unpacked(kernels, &score_plan, &part, weights, prefetch);
    }
}

void downhill_block_score_u8(const struct plan *plan, const struct packed_u8 *packed,
                             const struct block *block, double *scores, size_t lds)
{
    for (size_t i = 0; i < block->n; i++)
        memcpy(scores + i * lds, packed->start, packed->c * sizeof *scores);
    downhill_add_scores_u8(packed, plan->score_features, block->n, block->x, scores, lds);
}
