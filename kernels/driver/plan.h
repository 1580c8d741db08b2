/* SPDX-License-Identifier: MIT
 *
 * Blocking decisions, made by pure functions, one plan per call and from it one per block: how many rows a block has,
 * whether weights are packed, where the gradient is summed, how much a micro-kernel gets at a time, and what is
 * prefetched. */
#ifndef DOWNHILL_PLAN_H
#define DOWNHILL_PLAN_H

#include "isa/caches.h"
#include "isa/kernels.h"

enum operation { OPERATION_SCORE, OPERATION_GRAD, OPERATION_STEP };

/* The sizes that decide the plan. */
struct plan_shape {
    enum operation operation;
    enum element element;
    size_t n, d, c;
    size_t x_bytes; /* size of the matrix of samples, padding included */
    size_t ldx;     /* of the samples, in elements */
    size_t ldw;     /* of W in f32; unused by OPERATION_GRAD and by bytes */
    size_t lddw; /* of dW in f32, as the caller gave it; unused by OPERATION_SCORE and by bytes */
};

struct plan {
    enum element element;
    size_t d, c;

    /* Blocks of rows. */
    size_t block_rows;    /* <= BLOCK_ROWS_MAX */
    size_t prefetch_rows; /* rows to prefetch beyond the current block; 0: none */
    size_t prefetch_pace; /* 1 or 2, see prefetch.h */
    int x_far;            /* X is taken to be in memory, not in a cache */

    /* Scores. */
    const struct downhill_packing *packing;    /* NULL: W is used where it is */
    size_t packed_rows_min;                    /* a block of fewer rows uses W where it is */
    int packs_once;                            /* the whole of W before the first block */
    int w_large;                               /* W does not stay in L2 beside a block */
    size_t score_features, score_features_one; /* per call at most */

    /* Gradient. */
    int sums_in_workspace; /* dW is summed in the workspace and copied at the end */
    int dw_large;          /* dW does not stay in L2 beside a block */
    int dw_collides;       /* its rows fall on the same few sets of L1 */
    int grad_rows;         /* whole rows at a time, unless a block has one */
    int grad_columns;      /* column by column, unless a block has few rows */
    size_t grad_classes;   /* of a call, if dW needs no panel */
    int grad_direct;       /* dW needs no panel */
    unsigned grad_flags;   /* enum grad_flags of every call */

    size_t l2; /* bytes of L2, at most 512 KiB */
};

/* Makes the plan for a core with these caches. With an L2 of 512 KiB or more it is the same, so that results in f32
 * have the same bits. Exceptions are the chunks of byte scores, which are exact, and the gradient alone: its
 * prefetches and its rows per block depend on L1 and on the whole L2, but its bits do not. */
struct plan downhill_make_plan(const downhill_kernels *kernels, const struct cache_sizes *caches,
                               const struct plan_shape *shape);

/* Plan for the scores of a block with this number of rows. */
struct score_plan {
    enum score_method {
        SCORE_UNPACKED,      /* W where it is */
        SCORE_PACKED,        /* W packed before the first block */
        SCORE_PACK_PER_PANEL /* a few panels of W packed just before their use */
    } method;
    size_t rows, features, classes; /* per call of the micro-kernel */
    size_t panels;          /* that SCORE_PACK_PER_PANEL packs at a time, at most PANELS_MAX */
    size_t pace;            /* of the prefetch of X (prefetch.h); 0: none */
    int prefetches_weights; /* whether the kernel prefetches the weights of the next panels */
};
struct score_plan downhill_plan_score(const struct plan *plan, size_t rows);

/* Plan for summing dW over a block with this number of rows. It may be smaller than the block was,
 * because satisfied samples are dropped. */
struct grad_plan {
    enum grad_method {
        GRAD_DIRECT,  /* sums in dW itself */
        GRAD_PANEL,   /* sums in a panel of dW on the stack */
        GRAD_ROWS,    /* sums in dW itself, whole rows at a time */
        GRAD_COLUMNS, /* sums in dW itself, column by column */
        GRAD_TRANSPOSED /* sums in a transposed panel of dW on the stack, with dscores and X exchanged */
    } method;
    unsigned flags;           /* enum grad_flags */
    size_t features, classes; /* per call of the micro-kernel */
};
struct grad_plan downhill_plan_grad(const struct plan *plan, size_t rows);

/* Sizes of the workspace of a step, which must not depend on n, on the matrix of samples or on the caches: the largest
 * block_rows of any plan, and whether there is room for dW and for packed weights in f32. */
size_t downhill_plan_rows_max(enum element element, size_t d, size_t c);
int downhill_plan_sums_fit(size_t d, size_t c);

/* A panel of dW on the stack: PANEL_CLASSES classes × PANEL_FEATURES features, 21 KiB, which stay in L1. A row is a
 * cache line longer than needed, which moves the next one to other sets. */
enum { PANEL_FEATURES = 512, PANEL_LD = PANEL_FEATURES + 16 };

/* Floats of packed weights on the stack, 42 KiB: two panels of up to 6 classes × 896 features or 10 × 512, or one of
 * 10 × 896, or two of 160 classes of short rows. */
enum { PACK_WEIGHTS = 12 * 896, PANELS_MAX = 2 };

/* Features and classes of a transposed panel of dW on the stack, 16 KiB. */
enum { TRANSPOSED_FEATURES = 8, TRANSPOSED_CLASSES = 512 };

/* Returns a leading dimension in f32 or i32 of an odd number of cache lines, so that rows fall on different sets. */
static inline size_t spread_ld(size_t columns)
{
    return ((columns + 15) / 16 | 1) * 16;
}

#endif
