/* SPDX-License-Identifier: MIT */
#include "driver/plan.h"

/* Bytes of X in a block of rows. The scores read the block from memory, the gradient reads it again from L2. With W,
 * dW and the scores of 10 classes beside it at d = 3072 (240 KiB) it must fit the 1 MiB of L2 of Skylake-SP, Zen 4
 * and Zen 5. */
enum { BLOCK_BYTES = 384 * 1024 };

/* The same for bytes, whose packed weights and sums of 10 classes take as much room. More rows save some of the sums
 * that are written back after each block. */
enum { U8_BLOCK_BYTES = 256 * 1024 };

/* A larger matrix of samples is taken to be in memory, where it pays to prefetch the next block during the work on the
 * current one: the fused step gets 1.2 to 1.4 times faster (Zen 5). From L3 it would lose a tenth, because the
 * hardware prefetchers do well there. */
enum { FAR_BYTES = 16 * 1024 * 1024 };

/* Features per call of the scores. A tile of 5 classes × 1024 features is 20 KiB of W, which stays in a 32 or 48 KiB
 * L1 while the rows of the block stream past it. Larger chunks would save some of the horizontal sums at the end of a
 * tile, 4 % of its time at 1024. */
enum { CHUNK_FEATURES = 1024 };

/* The same where X comes from memory and is read once for each panel of W: 256 rows fill half of L2. */
enum { FAR_FEATURES = 512 };

/* A dW that fits here stays in L2 beside a block of X, and every block adds to it in place. */
enum { NEAR_BYTES = 256 * 1024 };

/* Features per call of the gradient while a dW larger than L2 passes: 256 rows of X, 256 KiB, stay in L2. */
enum { FAR_DW_FEATURES = 256 };

/* Fewer rows do not pay for the copy of a panel of dW. At d = 3072 the panel makes the gradient 1.2 times faster with
 * AVX-512 and 1.5 times with AVX2 (Zen 5). */
enum { PANEL_ROWS_MIN = 16 };

/* Classes per call when rows of dW alias in L1 and no panel is used: a set holds 8 lines. */
enum { ALIASED_CLASSES = 5 };

/* Features whose rows of a block of bytes stay in L2 for one panel of classes after another. */
enum { U8_FEATURES = 1024 };

/* A few rows get by without a division, which a single sample would notice. */
enum { FEW_ROWS = 4 };

/* Rows of f32 in so many bytes: a multiple of 4, so that register tiles are full. bf16 takes as many rows, because the
 * kernels widen a row to f32. */
static size_t rows_f32(size_t bytes, size_t d)
{
    const size_t fit = bytes / sizeof(float) / d / 4 * 4;
    return fit < 4 ? 4 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

static size_t rows_u8(size_t d)
{
    const size_t fit = U8_BLOCK_BYTES / d / 8 * 8;
    return fit < 8 ? 8 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

/* Rows that stay in L2; if the next block is prefetched meanwhile, both must fit. */
static size_t cached_rows(const struct plan_shape *shape, int x_far)
{
    if (shape->n <= FEW_ROWS)
        return FEW_ROWS;
    if (shape->element == ELEMENT_U8)
        return rows_u8(shape->d);
    return rows_f32(x_far ? BLOCK_BYTES / 2 : BLOCK_BYTES, shape->d);
}

/* Rows so far apart fall on the same few sets of L1. */
static int collides(size_t ld)
{
    return ld % 256 == 0;
}

/* c·ld fits size_t: the checks of the matrix have seen to it. */
static int is_large(size_t c, size_t ld)
{
    return c * ld > NEAR_BYTES / sizeof(float);
}

int downhill_plan_sums_fit(size_t d, size_t c)
{
    return !is_large(c, spread_ld(d));
}

size_t downhill_plan_rows_max(enum element element, size_t d, size_t c)
{
    if (element == ELEMENT_U8)
        return rows_u8(d);
    return downhill_plan_sums_fit(d, c) ? rows_f32(BLOCK_BYTES, d) : BLOCK_ROWS_MAX;
}

/* Packed weights pay where rows of W collide in L1, and where each line of X should be read once. */
static const struct downhill_packed_score *packing(const downhill_kernels *kernels,
                                                   const struct plan_shape *shape, int x_far)
{
    const struct downhill_packed_score *packed =
        shape->element == ELEMENT_F32 ? kernels->packed_f32 : kernels->packed_bf16;
    if (packed == NULL || shape->n < packed->n_min || shape->d < packed->d_min)
        return NULL;
    const int pays = packed->where == PACKS_ALWAYS || (packed->where == PACKS_FAR && x_far) ||
                     collides(shape->ldw);
    return pays ? packed : NULL;
}

static size_t block_rows(const struct plan_shape *shape, const struct plan *plan)
{
    switch (shape->operation) {
    case OPERATION_SCORE:
        return plan->packing != NULL ? BLOCK_ROWS_MAX : cached_rows(shape, plan->x_far);
    case OPERATION_GRAD:
        return plan->x_far && shape->element != ELEMENT_U8 ? cached_rows(shape, plan->x_far)
                                                           : BLOCK_ROWS_MAX;
    case OPERATION_STEP:
        break;
    }
    if (shape->element == ELEMENT_U8)
        return rows_u8(shape->d);
    /* Larger blocks read and write a large dW less often. */
    return downhill_plan_sums_fit(shape->d, shape->c) ? cached_rows(shape, plan->x_far)
                                                      : BLOCK_ROWS_MAX;
}

struct plan downhill_make_plan(const downhill_kernels *kernels, const struct plan_shape *shape)
{
    const int scores = shape->operation != OPERATION_GRAD,
              step = shape->operation == OPERATION_STEP;
    struct plan plan = {
        .element = shape->element,
        .d = shape->d,
        .c = shape->c,
        .x_far = shape->x_bytes > FAR_BYTES,
        .prefetch_pace = step ? 1 : 2,
        .grad_direct_min = kernels->grad_direct_min,
        .grad_flags = step || shape->element == ELEMENT_U8 ? 0 : GRAD_X_FAR,
    };
    if (shape->element != ELEMENT_U8) {
        plan.packing = scores ? packing(kernels, shape, plan.x_far) : NULL;
        if (step) {
            const int fits = downhill_plan_sums_fit(shape->d, shape->c);
            plan.packs_once = plan.packing != NULL && fits;
            plan.sums_in_workspace = fits && shape->n >= PANEL_ROWS_MIN;
        }
        const size_t lddw = plan.sums_in_workspace ? spread_ld(shape->d) : shape->lddw;
        plan.dw_large = is_large(shape->c, lddw);
        plan.dw_collides = collides(lddw);
    }
    plan.block_rows = block_rows(shape, &plan);
    plan.prefetch_rows = plan.x_far ? cached_rows(shape, plan.x_far) : 0;
    return plan;
}

struct score_plan downhill_plan_score(const struct plan *plan, size_t rows)
{
    const struct downhill_packed_score *packing = plan->packing;
    if (packing == NULL || (!plan->packs_once && rows < packing->n_min)) {
        /* One sample uses each weight once, so that its own features are all that must stay in L1. */
        return (struct score_plan){SCORE_UNPACKED, rows == 1 ? 4 * CHUNK_FEATURES : CHUNK_FEATURES,
                                   plan->c};
    }
    if (plan->packs_once)
        return (struct score_plan){SCORE_PACKED, PACK_WEIGHTS / packing->classes, packing->classes};
    return (struct score_plan){SCORE_PACK_PER_PANEL,
                               plan->x_far ? FAR_FEATURES : PACK_WEIGHTS / packing->classes,
                               packing->classes};
}

struct grad_plan downhill_plan_grad(const struct plan *plan, size_t rows)
{
    if (plan->element == ELEMENT_U8)
        return (struct grad_plan){1, plan->grad_flags,
                                  plan->c <= PANEL_CLASSES ? plan->d : U8_FEATURES, PANEL_CLASSES};
    if (rows < PANEL_ROWS_MIN)
        return (struct grad_plan){1, plan->grad_flags, plan->d,
                                  plan->dw_collides ? ALIASED_CLASSES : PANEL_CLASSES};
    if (plan->dw_large && rows >= plan->grad_direct_min)
        return (struct grad_plan){1, plan->grad_flags | GRAD_DW_FAR, FAR_DW_FEATURES,
                                  PANEL_CLASSES};
    return (struct grad_plan){!plan->dw_large && !plan->dw_collides, plan->grad_flags,
                              PANEL_FEATURES, PANEL_CLASSES};
}
