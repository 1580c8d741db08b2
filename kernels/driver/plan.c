/* SPDX-License-Identifier: MIT */
#include "driver/plan.h"

#include "simd/tiles.h"

/* Size of an L2 for which the values below hold as they stand; they hold for a larger one too. For a smaller L2,
 * of_l2() reduces the values that concern L2 in proportion. Haswell, the client Skylake and their successors have 256
 * KiB. The values for L1 are constants, because a CPU with AVX2 has an L1d of 32 KiB or more; only
 * score_features_u8() and prefetches into L1 depend on its size. */
enum { L2_FULL = 512 * 1024 };

/* Bytes of X in a block of rows. The scores read the block from memory, the gradient reads it again from L2. With W, dW
 * and the scores of 10 classes beside it at d = 3072 (240 KiB) it must fit the 1 MiB of L2 of Skylake-SP, Zen 4 and Zen
 * 5. Alone it fills 3/4 of the smallest L2 that takes it, which is L2_FULL. */
enum { BLOCK_BYTES = 384 * 1024 };

/* Bytes of X in a block of byte rows. Their packed weights and sums of 10 classes take as much room. More rows save
 * some of the sums that are written back after each block. */
enum { U8_BLOCK_BYTES = 256 * 1024 };

/* A larger matrix of samples is taken to be in memory, where it pays to prefetch the next block during the work on the
 * current one: the fused step gets 1.2 to 1.4 times faster (Zen 5). From L3 it would lose a tenth, because the
 * hardware prefetchers do well there. */
enum { FAR_BYTES = 16 * 1024 * 1024 };

/* A W or dW that fits here stays in L2 beside a block of X. Every block adds to such a dW in place. */
enum { NEAR_BYTES = 256 * 1024 };

/* Features per call of the gradient while a dW larger than L2 passes: 256 rows of X, 256 KiB, stay in L2. */
enum { FAR_DW_FEATURES = 256 };

/* Minimum number of rows that pay for the copy of a panel of dW. At d = 3072 the panel makes the gradient 1.5 times
 * faster with AVX2 (Zen 5), whose kernel reads and writes dW more than once. With AVX-512 dW itself is 1.04 to 1.14
 * times as fast. */
enum { PANEL_ROWS_MIN = 16 };

/* From this many classes on, copying X costs less than it saves (Zen 3). */
enum { COLUMNS_CLASSES_MIN = 24 };

/* Classes of one tile of the gradient by columns: up to this many, nothing would read the copy of X. */
enum { COLUMN_TILE_CLASSES = 6 };

/* Rows of a block of the gradient alone. With AVX-512 and 256 rows prefetching along the rows costs up to a quarter
 * of the speed of samples in L2 (784 × 16), with 128 up to 4 %; 64 rows add to dW too often with ten classes or more.
 * From memory 20000 × 3072 × 10 takes 0.80 of the time of small blocks that prefetch the next one, with AVX2 0.91
 * (Zen 5). */
enum { GRAD_BLOCK_ROWS = 128 };

/* Bytes of X that a tile of the gradient reads from such a block if it prefetches into L1. With the X of the next
 * tile and the dscores that is 40 KiB, which takes an L1 of 48 KiB (Ice Lake, Zen 5 and later). Tiles of up to 9
 * classes need X so fast that prefetches into L2 delay their loads from L2: prefetching into L1 takes 0.8 to 0.95 of
 * the time with 256 × 784 in L2, the same from memory (Zen 5). With ten classes or more both take the same time from
 * L2, and prefetching into L1 1.07 to 1.28 times as long from memory. */
enum { GRAD_TILE_BYTES = 16 * 1024, GRAD_L1_CLASSES = 9, GRAD_L1_BYTES = 48 * 1024 };

/* Maximum number of classes that prefetch nothing if X fits L2: 256 × 784 × 4 takes 0.8 of the time of a prefetch
 * into L1, but 1.1 times as long if X was in memory (Zen 5). */
enum { GRAD_L2_CLASSES = 5 };

/* Features per call of the gradient if several tiles of classes read them in turn: of 128 rows, 240 KiB, they stay in
 * L2. A multiple of the widths of 32 and 48 features. */
enum { GRAD_FEATURES = 480 };

/* With up to three classes, whole rows of X are added to a dW that stays in L1: 24 KiB, or these features of it. With
 * fewer than 16 features the start of each group of rows takes longer than its sums (Zen 3). */
enum {
    FEW_CLASSES_DW = 6144,
    FEW_CLASSES_FEATURES = 2048,
    FEW_CLASSES_FEATURES_MIN = 16,
};

/* Bytes between rows that fall on one set of L1. */
enum { ONE_SET = 4096 };

/* Classes per call when rows of dW collide in L1 and few rows of X hide that: a set holds 8 lines. */
enum { COLLIDING_CLASSES = 5 };

/* Features per call of the gradient of bytes if there are several panels of classes: these features of all rows of a
 * block stay in L2 for one panel after another. */
enum { U8_GRAD_FEATURES = 1024 };

/* Rows that two packed panels of W take in turn: a chunk of 896 features, 112 KiB, is in L2 for the second panel. */
enum { PANEL_PAIR_ROWS = 32 };

/* With fewer classes per feature, the gradient of few features takes less time with the features along the lanes (Zen
 * 3). */
enum { TRANSPOSED_CLASSES_PER_FEATURE = 2 };

/* With fewer classes, the copies for a transposed panel of dW cost more than it saves; 100 classes of 4 features take
 * 0.43 of the time, 26 take 0.62 (Zen 3). */
enum { TRANSPOSED_CLASSES_MIN = 24 };

/* On a small L2 the features per call are a multiple of this: whole cache lines of any element. */
enum { FEATURES_MIN = 64 };

/* Calls with at most this many rows skip a division, which is measurable with one sample. */
enum { FEW_ROWS = 4 };

/* Reduces a value for L2_FULL in proportion to a smaller L2. */
static size_t of_l2(size_t value, size_t l2)
{
    return l2 >= L2_FULL ? value : (size_t)((uint64_t)value * l2 / L2_FULL);
}

static size_t features_of_l2(size_t features, size_t l2)
{
    const size_t fit = of_l2(features, l2) / FEATURES_MIN * FEATURES_MIN;
    return fit < FEATURES_MIN ? FEATURES_MIN : fit;
}

/* Returns the number of f32 rows that fit in `bytes`: a multiple of 4, so that register tiles are full. bf16 takes as
 * many rows, because the kernels widen a row to f32. */
static size_t rows_f32(size_t bytes, size_t d)
{
    const size_t fit = bytes / sizeof(float) / d / 4 * 4;
    return fit < 4 ? 4 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

static size_t rows_u8(size_t bytes, size_t d)
{
    const size_t fit = bytes / d / 8 * 8;
    return fit < 8 ? 8 : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit;
}

/* Returns how many rows stay in L2. If the next block is prefetched meanwhile, both blocks must fit. Even on a small L2
 * there are enough rows for a panel of the gradient: doing without the panel costs more than a block that does not
 * quite fit. */
static size_t cached_rows(const struct plan_shape *shape, size_t l2, int x_far)
{
    if (shape->n <= FEW_ROWS)
        return FEW_ROWS;
    if (shape->element == ELEMENT_U8)
        return rows_u8(of_l2(U8_BLOCK_BYTES, l2), shape->d);
    const size_t bytes = x_far ? BLOCK_BYTES / 2 : BLOCK_BYTES,
                 rows = rows_f32(of_l2(bytes, l2), shape->d);
    if (rows >= PANEL_ROWS_MIN || l2 >= L2_FULL)
        return rows;
    const size_t full = rows_f32(bytes, shape->d);
    return full < PANEL_ROWS_MIN ? full : PANEL_ROWS_MIN;
}

/* Returns whether rows with this leading dimension fall on the same few sets of L1. */
static int collides(size_t ld)
{
    return ld % 256 == 0;
}

/* Returns whether a W or dW is too large for this L2. c·ld fits size_t, because the matrix has passed
 * the checks. */
static int is_large(size_t c, size_t ld, size_t l2)
{
    return c * ld > of_l2(NEAR_BYTES, l2) / sizeof(float);
}

/* The workspace must do for any core: a hybrid CPU may size it on one core and use it on another with a larger L2. */
int downhill_plan_sums_fit(size_t d, size_t c)
{
    return !is_large(c, spread_ld(d), L2_FULL);
}

size_t downhill_plan_rows_max(enum element element, size_t d, size_t c)
{
    if (element == ELEMENT_U8)
        return rows_u8(U8_BLOCK_BYTES, d);
    return downhill_plan_sums_fit(d, c) ? rows_f32(BLOCK_BYTES, d) : BLOCK_ROWS_MAX;
}

static size_t packed_rows_min(const struct downhill_packing *packing,
                              const struct plan_shape *shape)
{
    return collides(shape->ldw) ? packing->n_min_colliding : packing->n_min;
}

static int packing_pays(const struct downhill_packing *packing, const struct plan_shape *shape)
{
    return packing != NULL && shape->n >= packed_rows_min(packing, shape) &&
           shape->d >= packing->d_min && (packing->d_max == 0 || shape->d <= packing->d_max) &&
           shape->c >= packing->c_min && shape->c >= packing->c_per_feature * shape->d &&
           (packing->policy == PACKS_ALWAYS || collides(shape->ldw));
}

/* Returns the factor by which a chunk of features is longer with few classes. With AVX2 and AVX-512 a dot product has
 * four times as many sums with one class as with four, and twice as many with two or three, so that each sum has at
 * most 112 terms: chunks of 3584, 1792 or 896 features, of which 14 to 21 KiB of W stay in L1. 256 × 1024 × 2 in one
 * chunk takes 0.85 of the time of two (Zen 5). */
static size_t longer_chunk(size_t c)
{
    return c == 1 ? 4 : c <= 3 ? 2 : 1;
}

/* Returns the features of bytes per call of the scores: the weights of a panel take two thirds of L1, the rows of X
 * that pass and those that are prefetched have the rest. Longer chunks have fewer horizontal sums, and their pieces
 * of rows come faster from memory: with 1536 features instead of 1024, 256 × 3072 × 10 takes 0.98 of the time from L2
 * and 0.87 from memory with AVX-512, 0.97 and 0.94 with AVX2 (Zen 5). */
static size_t score_features_u8(const downhill_kernels *kernels, size_t c, size_t l1d)
{
    const size_t classes = c < kernels->u8->classes ? c : kernels->u8->classes,
                 fit = l1d * 2 / 3 / (classes * sizeof(int16_t)) / U8_GROUP * U8_GROUP;
    return fit < U8_GROUP ? U8_GROUP : fit < kernels->u8->features ? fit : kernels->u8->features;
}

/* Returns the packing to use, or NULL. */
static const struct downhill_packing *packing(const downhill_kernels *kernels,
                                              const struct plan_shape *shape)
{
    const int is_f32 = shape->element == ELEMENT_F32;
    const struct downhill_packing *few_features = is_f32 ? kernels->packing_short_f32
                                                         : kernels->packing_short_bf16,
                                  *any = is_f32 ? kernels->packing_f32 : kernels->packing_bf16;
    return packing_pays(few_features, shape) ? few_features : packing_pays(any, shape) ? any : NULL;
}

/* Returns whether the gradient goes column by column. A gradient of few classes that is not part of a step is bound by
 * reading X, which is faster along the rows. In a step X is in L2, so that the order costs nothing. */
static int by_columns(const struct plan_shape *shape, int dw_large)
{
    if (shape->c >= COLUMNS_CLASSES_MIN || (dw_large && shape->c > PANEL_CLASSES))
        return 1;
    return shape->operation == OPERATION_STEP && !dw_large && shape->c > COLUMN_TILE_CLASSES &&
           shape->ldx * element_bytes(shape->element) % ONE_SET == 0;
}

/* Returns how the gradient prefetches along the rows of X. */
static unsigned grad_prefetches(const downhill_kernels *kernels, const struct plan_shape *shape,
                                const struct cache_sizes *caches)
{
    if (shape->operation != OPERATION_GRAD)
        return 0;
    if (shape->element == ELEMENT_U8)
        return GRAD_PREFETCH_X;
    /* Kernels without grad_direct know only GRAD_PREFETCH_X. */
    if (!kernels->grad_direct || shape->element != ELEMENT_F32)
        return GRAD_PREFETCH_X;
    if (shape->c <= GRAD_L2_CLASSES && shape->x_bytes <= caches->l2)
        return 0;
    /* Rows that fall on one set would not stay in L1. */
    return shape->c <= GRAD_L1_CLASSES && caches->l1d >= GRAD_L1_BYTES &&
                   shape->ldx * sizeof(float) % ONE_SET != 0
               ? GRAD_PREFETCH_X | GRAD_PREFETCH_X_L1
               : GRAD_PREFETCH_X;
}

/* Returns the rows of a block of the gradient alone. */
static size_t grad_block_rows(const struct plan_shape *shape, unsigned flags)
{
    if (!(flags & GRAD_PREFETCH_X_L1))
        return GRAD_BLOCK_ROWS;
    return GRAD_TILE_BYTES / sizeof(float) / grad_tile_features(shape->c) / 8 * 8;
}

/* cached: rows that stay in L2. near: whether the dW of a step in f32 stays there too. */
static size_t block_rows(const downhill_kernels *kernels, const struct plan_shape *shape,
                         size_t cached, int packs, int near, int columns, int dw_large,
                         unsigned grad_flags)
{
    const int is_u8 = shape->element == ELEMENT_U8;
    switch (shape->operation) {
    case OPERATION_SCORE:
        return packs || (!is_u8 && shape->c > PANEL_CLASSES) ? BLOCK_ROWS_MAX : cached;
    case OPERATION_GRAD:
        if (is_u8)
            return kernels->u8->grad_rows;
        if (columns || dw_large || shape->c <= GRAD_ROWS_CLASSES)
            return BLOCK_ROWS_MAX;
        return grad_block_rows(shape, grad_flags);
    case OPERATION_STEP:
        break;
    }
    if (is_u8 || near || (shape->n <= FEW_ROWS && downhill_plan_sums_fit(shape->d, shape->c)))
        return cached;
    /* Larger blocks read and write a large dW less often. The workspace limits them. */
    return downhill_plan_rows_max(shape->element, shape->d, shape->c);
}

struct plan downhill_make_plan(const downhill_kernels *kernels, const struct cache_sizes *caches,
                               const struct plan_shape *shape)
{
    const int scores = shape->operation != OPERATION_GRAD,
              step = shape->operation == OPERATION_STEP, is_u8 = shape->element == ELEMENT_U8;
    /* Each member is assigned once and no address is taken, so that the plan is built in registers. An initialiser
     * would clear it first by REP STOS, and a copy of members just stored would wait for them: half of the time of a
     * call with one sample and few features. */
    struct plan plan;
    plan.element = shape->element;
    plan.d = shape->d;
    plan.c = shape->c;
    plan.l2 = caches->l2 < L2_FULL ? caches->l2 : L2_FULL;
    plan.x_far = shape->x_bytes > FAR_BYTES;
    plan.packing = scores && !is_u8 ? packing(kernels, shape) : NULL;
    plan.packed_rows_min = plan.packing != NULL ? packed_rows_min(plan.packing, shape) : 0;

    /* The dW of a step in f32 stays in this L2. */
    const int near = step && !is_u8 && !is_large(shape->c, spread_ld(shape->d), plan.l2);
    const size_t times = longer_chunk(shape->c);
    plan.score_features =
        is_u8 ? score_features_u8(kernels, shape->c, caches->l1d) : times * kernels->score_features;
    plan.score_features_one = times * kernels->score_features_one;
    /* On any L2, reading packed weights from L3 takes less time than packing them for each block. */
    plan.packs_once = step && plan.packing != NULL && downhill_plan_sums_fit(shape->d, shape->c);
    plan.w_large = scores && !is_u8 && is_large(shape->c, shape->ldw, plan.l2);
    plan.sums_in_workspace = near && shape->n >= PANEL_ROWS_MIN;
    const size_t lddw = plan.sums_in_workspace ? spread_ld(shape->d) : shape->lddw;
    plan.dw_large = !is_u8 && is_large(shape->c, lddw, plan.l2);
    plan.dw_collides = !is_u8 && collides(lddw);
    plan.grad_rows = kernels->grad_rows_f32 != NULL && !is_u8 && shape->c <= GRAD_ROWS_CLASSES &&
                     shape->d >= FEW_CLASSES_FEATURES_MIN;
    plan.grad_columns =
        kernels->grad_columns_f32 != NULL && !is_u8 && by_columns(shape, plan.dw_large);
    plan.grad_classes =
        shape->element == ELEMENT_BF16 ? kernels->grad_classes_bf16 : kernels->grad_classes;
    plan.grad_direct = kernels->grad_direct;
    plan.grad_flags = grad_prefetches(kernels, shape, caches);

    const size_t cached = cached_rows(shape, plan.l2, plan.x_far);
    plan.block_rows = block_rows(kernels, shape, cached, plan.packing != NULL, near,
                                 plan.grad_columns, plan.dw_large, plan.grad_flags);
    /* The gradient alone prefetches along the rows, or leaves few classes to the hardware. Scores of bytes prefetch the
     * rows of the next tile. */
    plan.prefetch_rows = plan.x_far && !is_u8 && shape->operation != OPERATION_GRAD ? cached : 0;
    plan.prefetch_pace = step ? 1 : 2;
    return plan;
}

/* Returns how many rows of a chunk of features fill half of L2, which pays if more than two tiles of classes read them:
 * 256 × 784 × 100 takes 0.93 of the time (Zen 3, L2 of 512 KiB). */
static size_t score_rows(const struct plan *plan, size_t features)
{
    return plan->c <= PANEL_CLASSES
               ? BLOCK_ROWS_MAX
               : rows_f32(plan->l2 / 2, plan->d < features ? plan->d : features);
}

struct score_plan downhill_plan_score(const struct plan *plan, size_t rows)
{
    const struct downhill_packing *packing = plan->packing;
    if (packing == NULL || (!plan->packs_once && rows < plan->packed_rows_min)) {
        const size_t features = rows == 1 ? plan->score_features_one : plan->score_features;
        return (struct score_plan){
            SCORE_UNPACKED, score_rows(plan, features), features, plan->c, 0, 0, 0};
    }
    const size_t features = packing->features, classes = packing->classes;
    if (plan->packs_once)
        return (struct score_plan){
            SCORE_PACKED, score_rows(plan, features), features, classes, 0, 0, 0};
    /* Rows beyond L2 are prefetched: from memory 256 × 3072 × 10 takes 0.69 of the time, from L3 0.95 to 1.03 (Zen
     * 3). */
    const int prefetches_x =
        packing->driver_prefetches && rows * plan->d * element_bytes(plan->element) > plan->l2;
    /* The kernel prefetches the weights of the next panels: 256 × 2048 × 1000 takes 0.93 of the time (Zen 5). */
    const int prefetches_weights = plan->w_large && classes <= PANEL_CLASSES && !prefetches_x;
    if (plan->c > classes && 2 * classes * features <= PACK_WEIGHTS)
        return (struct score_plan){SCORE_PACK_PER_PANEL, PANEL_PAIR_ROWS,   features, classes, 2,
                                   prefetches_x ? 1 : 0, prefetches_weights};
    return (struct score_plan){SCORE_PACK_PER_PANEL, BLOCK_ROWS_MAX,    features, classes, 1,
                               prefetches_x ? 2 : 0, prefetches_weights};
}

struct grad_plan downhill_plan_grad(const struct plan *plan, size_t rows)
{
    if (plan->element == ELEMENT_U8)
        return (struct grad_plan){
            GRAD_DIRECT, plan->grad_flags,
            plan->c <= PANEL_CLASSES ? plan->d : features_of_l2(U8_GRAD_FEATURES, plan->l2),
            PANEL_CLASSES};
    if (plan->grad_rows && rows > 1)
        return (struct grad_plan){
            GRAD_ROWS, plan->grad_flags,
            plan->c * plan->d <= FEW_CLASSES_DW ? plan->d : FEW_CLASSES_FEATURES, plan->c};
    if (rows < PANEL_ROWS_MIN)
        return (struct grad_plan){GRAD_DIRECT, plan->grad_flags, plan->d,
                                  plan->dw_collides   ? COLLIDING_CLASSES
                                  : plan->grad_direct ? plan->grad_classes
                                                      : PANEL_CLASSES};
    if (plan->element == ELEMENT_F32 && plan->d <= TRANSPOSED_FEATURES &&
        plan->c >= TRANSPOSED_CLASSES_PER_FEATURE * plan->d && plan->c >= TRANSPOSED_CLASSES_MIN)
        return (struct grad_plan){GRAD_TRANSPOSED, 0, plan->d, TRANSPOSED_CLASSES};
    if (plan->grad_columns)
        return (struct grad_plan){
            GRAD_COLUMNS, plan->grad_flags | (plan->dw_large ? GRAD_DW_FAR : 0u), plan->d, plan->c};
    if (plan->grad_direct && plan->dw_large)
        return (struct grad_plan){GRAD_DIRECT, plan->grad_flags | GRAD_DW_FAR,
                                  features_of_l2(FAR_DW_FEATURES, plan->l2), plan->grad_classes};
    if (!plan->grad_direct && (plan->dw_large || plan->dw_collides))
        return (struct grad_plan){GRAD_PANEL, plan->grad_flags, PANEL_FEATURES, PANEL_CLASSES};
    if (plan->grad_classes == SIZE_MAX || (plan->grad_direct && plan->c <= plan->grad_classes))
        return (struct grad_plan){GRAD_DIRECT, plan->grad_flags, plan->d, plan->c};
    return (struct grad_plan){GRAD_DIRECT, plan->grad_flags,
                              plan->grad_direct ? GRAD_FEATURES : PANEL_FEATURES,
                              plan->grad_classes};
}
