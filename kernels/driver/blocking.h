/* SPDX-License-Identifier: MIT
 *
 * The frame around the micro-kernels: arguments checked, rows looked up, work cut into blocks that
 * fit the caches. Written once, for every level. */
#ifndef DOWNHILL_BLOCKING_H
#define DOWNHILL_BLOCKING_H

#include "isa/kernels.h"

/* Bytes of X in a block of rows. The block is read from memory once, by the scores, and again by
 * the gradient from L2; with W, dW and the scores of 10 classes beside it at d = 3072 (240 KiB)
 * it must fit the 1 MiB of L2 of Skylake-SP, Zen 4 and Zen 5. */
enum { BLOCK_BYTES = 384 * 1024 };

/* The same for bytes, whose packed weights and sums of 10 classes take as much room. More rows save
 * some of the sums of the lanes that are written back after each block. */
enum { U8_BLOCK_BYTES = 256 * 1024 };

/* A matrix of samples beyond this size is taken to be in memory, where it pays to fetch the next
 * block during the work on one: the fused step gets 1.2 to 1.4 times faster (Zen 5). From L3 it
 * would lose a tenth, because the hardware's own prefetching does well there. */
enum { FAR_BYTES = 16 * 1024 * 1024 };

/* Features in a chunk of the scores. A tile of 5 classes × 1024 features is 20 KiB of W, which
 * stays in a 32 or 48 KiB L1 while the rows of the block stream past it. Longer chunks would save
 * some of the horizontal sums at the end of a tile, 4 % of its time at 1024. */
enum { CHUNK_FEATURES = 1024 };

/* Weights in a chunk where they are packed: also 20 KiB. */
enum { PACK_WEIGHTS = 5 * CHUNK_FEATURES };

/* Features in a chunk of X that comes from memory and is read once for each panel of W: of 256 rows
 * they fill half of L2. */
enum { FAR_FEATURES = 512 };

/* So many rows before their turn the rows of one chunk are fetched: 32 KiB, or 0.6 µs. */
enum { FETCH_ROWS = 16 };

/* dW that fits here stays in L2 beside a block of X, and every block adds to it where it is. */
enum { NEAR_BYTES = 256 * 1024 };

/* Where dW is larger, or its rows all fall on the same few sets of L1, a panel of it is summed on the
 * stack: 10 classes × 512 features, 21 KiB, which stay in L1. A row of the panel is a line longer
 * than it needs to be, which moves the next one to other sets. At d = 3072 this makes the gradient
 * 1.2 times faster with AVX-512 and 1.5 with AVX2 (Zen 5). */
enum { PANEL_FEATURES = 512, PANEL_LD = PANEL_FEATURES + 16 };

/* While a dW larger than L2 passes, 256 rows of so many features of X stay there: 256 KiB. */
enum { FEATURES_OF_FAR = 256 };

/* Fewer rows do not pay for the copy of the panel. */
enum { PANEL_ROWS_MIN = 16 };

/* Without it, rows of dW that fall on one set of 8 lines are taken so few at a time. */
enum { FEW_CLASSES = 5 };

/* The samples of a call, whatever type their features have. */
struct samples {
    enum element element;
    const void *x;
    size_t ldx, x_rows;
    const int32_t *y;
    const size_t *rows;
    size_t n, n_next;
};

/* NULL gives samples without x, which is found when they are checked. */
static inline struct samples samples_f32(const downhill_batch_f32 *b)
{
    if (b == NULL)
        return (struct samples){0};
    return (struct samples){ELEMENT_F32, b->x, b->ldx, b->x_rows, b->y, b->rows, b->n, b->n_next};
}

static inline struct samples samples_bf16(const downhill_batch_bf16 *b)
{
    if (b == NULL)
        return (struct samples){0};
    return (struct samples){ELEMENT_BF16, b->x, b->ldx, b->x_rows, b->y, b->rows, b->n, b->n_next};
}

static inline struct samples samples_u8(const downhill_batch_u8 *b)
{
    if (b == NULL)
        return (struct samples){0};
    return (struct samples){ELEMENT_U8, b->x, b->ldx, b->x_rows, b->y, b->rows, b->n, b->n_next};
}

/* For what takes no labels, whatever the caller has there. */
static inline struct samples without_labels(struct samples s)
{
    s.y = NULL;
    return s;
}

/* A block: row pointers and labels. */
struct block {
    size_t n;
    int far; /* the rows are taken to be in memory */
    enum element element;
    const void *x[BLOCK_ROWS_MAX];
    int32_t y[BLOCK_ROWS_MAX];
};

/* Rows of f32 in so many bytes: at least 4, so that a register tile of samples is full, and a
 * multiple. Narrower features are taken by as many rows, because what the kernels make of a row is
 * f32 again, and the workspace is made for it. */
static inline size_t rows_in(size_t bytes, size_t d)
{
    const size_t fit = bytes / sizeof(float) / d / 4 * 4;
    return fit < 4 ? 4 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

/* Rows of bytes in a block. */
static inline size_t rows_u8(size_t d)
{
    const size_t fit = U8_BLOCK_BYTES / d / 8 * 8;
    return fit < 8 ? 8 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

static inline int is_far(const struct samples *batch)
{
    /* Checked not to overflow. */
    return batch->x_rows * batch->ldx > FAR_BYTES / element_bytes(batch->element);
}

/* Rows of a block. Where the next one is fetched meanwhile, both must fit. */
static inline size_t block_rows(const struct samples *batch, size_t d)
{
    if (batch->n <= 4)
        return 4; /* without a division, which a single sample would notice */
    if (batch->element == ELEMENT_U8)
        return rows_u8(d);
    return rows_in(is_far(batch) ? BLOCK_BYTES / 2 : BLOCK_BYTES, d);
}

/* A leading dimension of an odd number of cache lines: its rows fall on different sets. */
static inline size_t spread_ld(size_t columns)
{
    return ((columns + 15) / 16 | 1) * 16;
}

/* Rows so far apart fall on the same few sets of L1. */
static inline int collides(size_t ld)
{
    return ld % 256 == 0;
}

static inline int is_large(size_t c, size_t ldw)
{
    return ldw > NEAR_BYTES / sizeof(float) / c;
}

/* dW can be summed where it is. */
static inline int is_near(size_t c, size_t ldw)
{
    return !is_large(c, ldw) && !collides(ldw);
}

/* Of the rows that follow a batch only so many are looked at. */
static inline size_t next_rows(const struct samples *batch)
{
    return batch->n_next < BLOCK_ROWS_MAX ? batch->n_next : BLOCK_ROWS_MAX;
}

static inline size_t batch_row(const struct samples *batch, size_t i)
{
    return batch->rows == NULL ? i : batch->rows[i];
}

static inline const void *batch_x(const struct samples *batch, size_t i)
{
    return (const char *)batch->x +
           batch_row(batch, i) * batch->ldx * element_bytes(batch->element);
}

/* The blocks of a batch one after another, each with what comes behind it. */
struct walk {
    const struct samples *batch;
    size_t d, most;           /* features; rows of a block */
    size_t pace;              /* of ahead */
    size_t first, behind;     /* samples that the block starts with, and the next one */
    struct block *block;      /* n is 0 behind the last */
    struct prefetch prefetch; /* the rows behind the block */
    struct block blocks[2];
};

/* batch is checked; most <= BLOCK_ROWS_MAX. Labels are looked up where there are any. */
void downhill_walk_begin(struct walk *walk, const struct samples *batch, size_t d, size_t most,
                         size_t pace);
void downhill_walk_next(struct walk *walk);

/* Features of a packed row, zeros included. */
static inline size_t packed_ld(size_t d)
{
    return (d + PACK_GROUP - 1) / PACK_GROUP * PACK_GROUP;
}

/* The packed scores that n samples of this type take; NULL: none. Packed weights pay where rows of W
 * collide in L1, and where each line of X should be read once. */
static inline const struct downhill_packed_score *packed_score(const downhill_kernels *kernels,
                                                               enum element element, size_t n,
                                                               size_t d, size_t ldw, int far)
{
    const struct downhill_packed_score *packed =
        element == ELEMENT_F32 ? kernels->packed_f32 : kernels->packed_bf16;
    if (packed == NULL || n < packed->n_min || d < packed->d_min)
        return NULL;
    const int pays =
        packed->where == PACKS_ALWAYS || (packed->where == PACKS_FAR && far) || collides(ldw);
    return pays ? packed : NULL;
}

/* All weights, panel after panel, c × packed_ld(d). */
void downhill_pack_weights(const struct downhill_packed_score *how,
                           const downhill_weights_f32 *weights, float *packed);

/* scores = X Wᵀ + b for a block. how: packed_score() of the batch; packed: then the panels of W one
 * after another, or NULL, to pack them for this block alone. */
void downhill_block_score(const downhill_kernels *kernels, const struct block *block,
                          const downhill_weights_f32 *weights,
                          const struct downhill_packed_score *how, const float *packed,
                          float *scores, size_t lds, struct prefetch *prefetch);

/* Loss and dscores of a block, dscores in place of scores. */
double downhill_block_loss(const downhill_kernels *kernels, const struct block *block, size_t c,
                           downhill_loss loss, float *scores, size_t lds);

/* grad = dscoresᵀ X and the sum of dscores for a block, or added to what is there. */
void downhill_block_grad(const downhill_kernels *kernels, const struct block *block,
                         const float *dscores, size_t ldds, unsigned flags,
                         const downhill_weights_f32 *grad, struct prefetch *prefetch);

/* w = decay·w - step·dw, b = b - step·db, arguments checked already. */
void downhill_update_checked(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                             const downhill_weights_f32 *grad, float decay, float step);

/* Checks of arguments, each naming the first thing that is wrong. */
downhill_status downhill_check_kernels(const downhill_kernels **kernels);
downhill_status downhill_check_matrix(size_t element, const void *data, size_t rows, size_t columns,
                                      size_t ld);
downhill_status downhill_check_weights(const downhill_weights_f32 *weights);
downhill_status downhill_check_batch(const struct samples *batch, size_t d);
downhill_status downhill_check_labels(const struct samples *batch, size_t c);
downhill_status downhill_check_loss(downhill_loss loss);
downhill_status downhill_check_update(const downhill_weights_f32 *weights,
                                      const downhill_weights_f32 *grad, float decay, float step);

#endif
