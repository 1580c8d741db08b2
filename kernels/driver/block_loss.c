/* SPDX-License-Identifier: MIT */
#include "driver/block_loss.h"

#include <string.h>

double downhill_block_loss(const downhill_kernels *kernels, const struct block *block, size_t c,
                           downhill_loss loss, float *scores, size_t lds)
{
    if (loss.kind == DOWNHILL_HINGE)
        return kernels->hinge_f32(block->n, c, scores, lds, block->y, loss.margin, scores, lds);
    return kernels->softmax_f32(block->n, c, scores, lds, block->y, scores, lds);
}

double downhill_loss_units_u8(const downhill_kernels *kernels, downhill_loss loss, size_t n,
                              size_t c, const double *scores, size_t lds, const int32_t *y,
                              int16_t *dscores, size_t ldds)
{
    if (loss.kind == DOWNHILL_HINGE)
        return kernels->u8->hinge(n, c, scores, lds, y, (double)loss.margin, dscores, ldds);
    return kernels->u8->softmax(n, c, scores, lds, y, dscores, ldds);
}

double downhill_block_loss_u8(const downhill_kernels *kernels, const struct block *block, size_t c,
                              downhill_loss loss, const double *scores, size_t lds,
                              int16_t *dscores, size_t ldds)
{
    return downhill_loss_units_u8(kernels, loss, block->n, c, scores, lds, block->y, dscores,
                                  ldds) *
           DOWNHILL_LOSS_UNIT;
}

/* Returns whether a dscore of 2 or 4 bytes is 0. The zeros of the hinge loss are positive. */
static int is_zero(const char *dscore, size_t bytes)
{
    uint32_t bits = 0;
    if (bytes == sizeof(int16_t))
        memcpy(&bits, dscore, sizeof(int16_t));
    else
        memcpy(&bits, dscore, sizeof(float));
    return bits == 0;
}

void downhill_drop_satisfied(struct block *block, size_t c, void *dscores, size_t bytes,
                             size_t ldds)
{
    char *row = dscores, *kept = dscores;
    size_t n = 0;
    for (size_t i = 0; i < block->n; i++, row += ldds * bytes) {
        if (is_zero(row + (size_t)block->y[i] * bytes, bytes))
            continue;
        if (n < i) {
            block->x[n] = block->x[i];
            memcpy(kept, row, c * bytes);
        }
        kept += ldds * bytes;
        n++;
    }
    block->n = n;
}
