/* SPDX-License-Identifier: MIT
 *
 * The work on one block of bytes, cut so that it stays in the caches, as in frame.c. */
#include "driver/packed_u8.h"
#include "simd/tiles.h"

#include <string.h>

void downhill_block_score_u8(const struct packed_u8 *p, const struct block *block, double *scores,
                             size_t lds, struct prefetch *prefetch)
{
    for (size_t i = 0; i < block->n; i++)
        memcpy(scores + i * lds, p->start, p->c * sizeof *scores);
    downhill_add_scores_u8(p, block->n, block->x, scores, lds, prefetch);
}

static void clear(const downhill_sums_u8 *sums)
{
    for (size_t j = 0; j < sums->c; j++)
        memset(sums->w + j * sums->ldw, 0, sums->d * sizeof *sums->w);
    memset(sums->b, 0, sums->c * sizeof *sums->b);
}

static void copy_panel(size_t n, size_t c, const int16_t *dscores, size_t ldds, downhill_dscores to)
{
    memset(to, 0, (n + U8_ROWS_PAST_END) * sizeof to[0]);
    for (size_t i = 0; i < n; i++)
        memcpy(to[i], dscores + i * ldds, c * sizeof *dscores);
}

/* Features whose rows of a block stay in L2 for one panel of classes after another. */
enum { U8_FEATURES = 1024 };

void downhill_block_grad_u8(const downhill_kernels *kernels, const struct block *block,
                            const int16_t *dscores, size_t ldds, unsigned flags,
                            const downhill_sums_u8 *sums, struct prefetch *prefetch)
{
    const size_t n = block->n, d = sums->d, c = sums->c;
    if (n == 0) { /* a step whose samples are all satisfied */
        if (!(flags & GRAD_ACCUMULATE))
            clear(sums);
        return;
    }
    const size_t most = c <= PANEL_CLASSES ? d : U8_FEATURES;
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
    _Alignas(64) downhill_dscores panel;
    for (size_t k = 0, features; k < d; k += features) {
        features = d - k < most ? d - k : most;
        for (size_t i = 0; i < n + U8_ROWS_PAST_END; i++)
            x[i] = (const uint8_t *)block->x[i < n ? i : n - 1] + k;
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, PANEL_CLASSES);
            copy_panel(n, classes, dscores + j, ldds, panel);
            kernels->u8->grad(n, features, classes, x, panel, flags, sums->w + j * sums->ldw + k,
                              sums->ldw, prefetch);
        }
    }
    if (!(flags & GRAD_ACCUMULATE))
        memset(sums->b, 0, c * sizeof *sums->b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++)
            sums->b[j] = wrapped_sum(sums->b[j], dscores[i * ldds + j]);
}
