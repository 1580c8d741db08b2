/* SPDX-License-Identifier: MIT
 *
 * The frame around the micro-kernels: arguments checked, rows looked up, work cut into blocks that
 * fit the caches. Written once, for every level. */
#ifndef DOWNHILL_BLOCKING_H
#define DOWNHILL_BLOCKING_H

#include "kernels.h"

/* Bytes of X in a block of rows. The block is read from memory once, by the scores, and again by
 * the gradient from L2; with W, dW and the scores of 10 classes beside it at d = 3072 (240 KiB)
 * it must fit the 1 MiB of L2 of Skylake-SP, Zen 4 and Zen 5. */
enum { BLOCK_BYTES = 384 * 1024 };

/* Features in a chunk of the scores. A tile of 5 classes × 1024 features is 20 KiB of W, which
 * stays in a 32 or 48 KiB L1 while the rows of the block stream past it. Longer chunks would save
 * some of the horizontal sums at the end of a tile, 4 % of its time at 1024. */
enum { CHUNK_FEATURES = 1024 };

/* dW that fits here stays in L2 beside a block of X, and every block adds to it where it is. */
enum { NEAR_BYTES = 256 * 1024 };

/* Where dW is larger, or its rows all fall on the same few sets of L1, a panel of it is summed on the
 * stack: 10 classes × 512 features, 21 KiB, which stay in L1. A row of the panel is a line longer
 * than it needs to be, which moves the next one to other sets. At d = 3072 this makes the gradient
 * 1.2 times faster with AVX-512 and 1.5 with AVX2 (Zen 5). */
enum { PANEL_CLASSES = 10, PANEL_FEATURES = 512, PANEL_LD = PANEL_FEATURES + 16 };

/* Fewer rows do not pay for the copy of the panel. */
enum { PANEL_ROWS_MIN = 16 };

/* A block: row pointers (advanced by the caller through the chunks of features) and labels. */
struct block {
    size_t n;
    const float *x[BLOCK_ROWS_MAX];
    int32_t y[BLOCK_ROWS_MAX];
};

/* Rows of a block: at least 4, so that a register tile of samples is full, and a multiple of it. */
static inline size_t block_rows(size_t d)
{
    const size_t fit = BLOCK_BYTES / sizeof(float) / d / 4 * 4;
    return fit < 4 ? 4 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

/* A leading dimension of an odd number of cache lines: its rows fall on different sets. */
static inline size_t spread_ld(size_t columns)
{
    return ((columns + 15) / 16 | 1) * 16;
}

/* dW can be summed where it is. */
static inline int is_near(size_t c, size_t ldw)
{
    return ldw <= NEAR_BYTES / sizeof(float) / c && ldw % 256 != 0;
}

static inline size_t batch_row(const downhill_batch_f32 *batch, size_t i)
{
    return batch->rows == NULL ? i : batch->rows[i];
}

/* Looks up samples first … first + n of a checked batch, n <= BLOCK_ROWS_MAX. */
void downhill_block_fill(struct block *block, const downhill_batch_f32 *batch, size_t first,
                         size_t n, int with_labels);

/* scores = X Wᵀ + b for a block. */
void downhill_block_score(const downhill_kernels *kernels, const struct block *block,
                          const downhill_weights_f32 *weights, float *scores, size_t lds);

/* Loss and dscores of a block, dscores in place of scores. */
double downhill_block_loss(const downhill_kernels *kernels, const struct block *block, size_t c,
                           downhill_loss loss, float *scores, size_t lds);

/* grad = dscoresᵀ X and the sum of dscores for a block, or added to what is there. */
void downhill_block_grad(const downhill_kernels *kernels, const struct block *block,
                         const float *dscores, size_t ldds, unsigned flags,
                         const downhill_weights_f32 *grad);

/* w = decay·w - step·dw, b = b - step·db, arguments checked already. */
void downhill_update_checked(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                             const downhill_weights_f32 *grad, float decay, float step);

/* Checks of arguments, each naming the first thing that is wrong. */
downhill_status downhill_check_kernels(const downhill_kernels **kernels);
downhill_status downhill_check_matrix(const void *data, size_t rows, size_t columns, size_t ld);
downhill_status downhill_check_weights(const downhill_weights_f32 *weights);
downhill_status downhill_check_batch(const downhill_batch_f32 *batch, size_t d);
downhill_status downhill_check_labels(const downhill_batch_f32 *batch, size_t c);
downhill_status downhill_check_loss(downhill_loss loss);
downhill_status downhill_check_update(const downhill_weights_f32 *weights,
                                      const downhill_weights_f32 *grad, float decay, float step);

#endif
