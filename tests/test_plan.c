/* SPDX-License-Identifier: MIT
 *
 * Blocking decisions: the plans for common shapes, and invariants over all shapes, ISA levels and
 * L2 sizes. A plan only reads a kernel table, so levels that this CPU cannot run are tested too. */
#include "cmocka_all.h"

#include "driver/carve.h"
#include "driver/packing.h"
#include "driver/plan.h"
#include "driver/workspace.h"
#include "isa/tables.h"

#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* Cache sizes of CPUs with this L2. */
static const struct cache_sizes l2_256k = {32 * KIB, 256 * KIB, 8 * MIB}, /* Haswell, Centaur CNS */
    l2_512k = {32 * KIB, 512 * KIB, 32 * MIB},                            /* Zen 2, Zen 3 */
    l2_1m = {48 * KIB, 1 * MIB, 32 * MIB};                                /* Zen 5 */

enum { UNPACKED = SCORE_UNPACKED, PACKED = SCORE_PACKED, PER_PANEL = SCORE_PACK_PER_PANEL };
enum {
    DIRECT = GRAD_DIRECT,
    PANEL = GRAD_PANEL,
    ROWS = GRAD_ROWS,
    COLUMNS = GRAD_COLUMNS,
    TRANSPOSED = GRAD_TRANSPOSED
};
enum { SCORE = OPERATION_SCORE, GRAD = OPERATION_GRAD, STEP = OPERATION_STEP };
enum { TO_L1 = GRAD_PREFETCH_X | GRAD_PREFETCH_X_L1 };
enum { F32 = ELEMENT_F32, BF16 = ELEMENT_BF16, U8 = ELEMENT_U8 };

/* The members of a plan that are decisions. */
struct decisions {
    size_t block_rows, prefetch_rows, prefetch_pace;
    int x_far, packs, packs_once, prefetches_weights, sums_in_workspace, dw_large, dw_collides,
        grad_columns;
    unsigned grad_flags;
};

struct plan_case {
    const char *name;
    size_t level; /* number in downhill_levels */
    const struct cache_sizes *caches;
    int operation, element;
    size_t n, d, c;
    size_t x_rows; /* rows of X; 0: n */
    size_t ldw;    /* leading dimension of W and dW; 0: d */
    struct decisions plan;
    size_t rows; /* of a block, for the next two members */
    struct {
        int method;
        size_t features, classes, panels;
    } score; /* not for GRAD; of bytes only the features */
    struct {
        int method;
        unsigned flags;
        size_t features, classes;
    } grad; /* not for SCORE */
};

#define LEVEL(name) LEVEL_INDEX_##name

/* clang-format off */
static const struct plan_case cases[] = {
    /* ---- The step in f32, samples in a cache ---- */

    /* 384 KiB hold 32 rows of X. Rows of W, 12 KiB long, collide, so W is packed once. dW is summed in the workspace,
     * whose rows do not collide. AVX2 copies X column by column, because its rows collide too; AVX-512 sums all
     * features in one call. */
    {"step, colliding W, AVX2", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1, .grad_columns = 1},
     32, {PACKED, 896, 6, 0}, {COLUMNS, 0, 3072, 10}},
    /* AVX-512 packs 10 classes together. */
    {"step, colliding W, AVX-512", LEVEL(avx512), &l2_1m, STEP, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1},
     32, {PACKED, 896, 10, 0}, {DIRECT, 0, 3072, 10}},
    /* A W packed once is used for every block. 15 rows are too few for a panel of dW. */
    {"step, colliding W, 15 rows left", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1, .grad_columns = 1},
     15, {PACKED, 896, 6, 0}, {DIRECT, 0, 3072, 10}},
    /* AVX2 uses a padded W in place, AVX-512 packs it. */
    {"step, padded W, AVX2", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 10, 0, 3088,
     {.block_rows = 32, .prefetch_pace = 1, .sums_in_workspace = 1, .grad_columns = 1},
     32, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 3072, 10}},
    {"step, padded W, AVX-512", LEVEL(avx512), &l2_1m, STEP, F32, 256, 3072, 10, 0, 3088,
     {.block_rows = 32, .prefetch_pace = 1, .sums_in_workspace = 1, .packs = 1, .packs_once = 1},
     32, {PACKED, 896, 10, 0}, {DIRECT, 0, 3072, 10}},
    /* The portable level never packs. */
    {"step, colliding W, scalar", LEVEL(scalar), &l2_512k, STEP, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .sums_in_workspace = 1},
     32, {UNPACKED, 1024, 10, 0}, {DIRECT, 0, 512, 10}},
    /* 384 KiB hold 125 rows of 784 features, rounded down to 124 for full register tiles. 32
     * samples are too few to pack for. */
    {"step, 32 of MNIST", LEVEL(avx2), &l2_512k, STEP, F32, 32, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1, .sums_in_workspace = 1},
     32, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    /* 63 samples are too few to pack for; 64 are enough. */
    {"step, 63 samples", LEVEL(avx2), &l2_512k, STEP, F32, 63, 1024, 10, 0, 0,
     {.block_rows = 96, .prefetch_pace = 1, .sums_in_workspace = 1, .grad_columns = 1},
     63, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 1024, 10}},
    {"step, 64 samples", LEVEL(avx2), &l2_512k, STEP, F32, 64, 1024, 10, 0, 0,
     {.block_rows = 96, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1, .grad_columns = 1},
     64, {PACKED, 896, 6, 0}, {COLUMNS, 0, 1024, 10}},
    /* One sample: no division to size the block, no copy of dW, 5 classes of a colliding dW at a
     * time, and the same chunks as many samples. */
    {"step, 1 sample", LEVEL(avx2), &l2_512k, STEP, F32, 1, 3072, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1, .dw_collides = 1, .grad_columns = 1},
     1, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 3072, 5}},
    {"step, 2 samples", LEVEL(avx2), &l2_512k, STEP, F32, 2, 3072, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1, .dw_collides = 1, .grad_columns = 1},
     2, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 3072, 5}},
    /* Rows collide if they are a multiple of 1 KiB apart: 5 KiB do, 2.5 KiB do not. */
    {"step, 1 sample, rows of 5 KiB", LEVEL(avx2), &l2_512k, STEP, F32, 1, 1280, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1, .dw_collides = 1},
     1, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 1280, 5}},
    {"step, 1 sample, rows of 2.5 KiB", LEVEL(avx2), &l2_512k, STEP, F32, 1, 640, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1},
     1, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 640, 10}},
    /* The block is sized by the caches for 5 samples or more, and dW is summed in the workspace for
     * 16 or more. */
    {"step, 4 samples", LEVEL(avx2), &l2_512k, STEP, F32, 4, 784, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1},
     4, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"step, 5 samples", LEVEL(avx2), &l2_512k, STEP, F32, 5, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1},
     5, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"step, 15 samples", LEVEL(avx2), &l2_512k, STEP, F32, 15, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1},
     15, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"step, 16 samples", LEVEL(avx2), &l2_512k, STEP, F32, 16, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1, .sums_in_workspace = 1},
     16, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    /* A block has 4 to 256 rows. */
    {"step, wide samples", LEVEL(avx2), &l2_512k, STEP, F32, 256, 40000, 1, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1, .x_far = 1, .prefetch_rows = 4, .sums_in_workspace = 1},
     4, {UNPACKED, 3584, 1, 0}, {ROWS, 0, 2048, 1}},
    {"step, narrow samples", LEVEL(avx2), &l2_512k, STEP, F32, 1000, 16, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .sums_in_workspace = 1},
     256, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 16, 10}},

    /* ---- The step in f32, samples in memory ---- */

    /* Two blocks of 192 KiB share L2: one is processed, one prefetched. */
    {"step from memory, AVX-512", LEVEL(avx512), &l2_1m, STEP, F32, 256, 3072, 10, 20000, 3088,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 1, .x_far = 1, .packs = 1, .packs_once = 1,
      .sums_in_workspace = 1},
     16, {PACKED, 896, 10, 0}, {DIRECT, 0, 3072, 10}},
    /* AVX2 packs only a W whose rows collide. */
    {"step from memory, AVX2", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 10, 20000, 3088,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1, .grad_columns = 1},
     16, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 3072, 10}},
    {"step from memory, AVX2, colliding W", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 10, 20000, 0,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 1, .x_far = 1, .packs = 1, .packs_once = 1,
      .sums_in_workspace = 1, .grad_columns = 1},
     16, {PACKED, 896, 6, 0}, {COLUMNS, 0, 3072, 10}},
    /* A small block of a large matrix prefetches equally few rows. */
    {"step from memory, 1 sample", LEVEL(avx512), &l2_1m, STEP, F32, 1, 3072, 10, 20000, 0,
     {.block_rows = 4, .prefetch_rows = 4, .prefetch_pace = 1, .x_far = 1, .dw_collides = 1},
     1, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 3072, 5}},
    /* A matrix of 16 MiB counts as cached; with one more row it does not. */
    {"step, matrix of 16 MiB", LEVEL(avx2), &l2_512k, STEP, F32, 32, 1024, 10, 4096, 1040,
     {.block_rows = 96, .prefetch_pace = 1, .sums_in_workspace = 1, .grad_columns = 1},
     32, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 1024, 10}},
    {"step, matrix of more than 16 MiB", LEVEL(avx2), &l2_512k, STEP, F32, 32, 1024, 10, 4097, 1040,
     {.block_rows = 48, .prefetch_rows = 48, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1, .grad_columns = 1},
     32, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 1024, 10}},

    /* ---- The step in f32, many classes ---- */

    /* Each block streams 8 MiB of dW, so blocks have the maximum size. The workspace has no room
     * for W: each panel is packed before its use. AVX2 goes column by column. */
    {"step, 1000 classes, AVX2", LEVEL(avx2), &l2_512k, STEP, F32, 256, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .dw_large = 1, .dw_collides = 1, .grad_columns = 1},
     256, {PER_PANEL, 896, 6, 2}, {COLUMNS, GRAD_DW_FAR, 2048, 1000}},
    /* AVX-512 sums in dW itself, for any number of rows. */
    {"step, 1000 classes, AVX-512", LEVEL(avx512), &l2_1m, STEP, F32, 256, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .prefetches_weights = 1, .dw_large = 1, .dw_collides = 1},
     256, {PER_PANEL, 896, 10, 1}, {DIRECT, GRAD_DW_FAR, 256, 14}},
    {"step, 1000 classes, AVX-512, 24 rows left", LEVEL(avx512), &l2_1m, STEP, F32, 256, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .prefetches_weights = 1, .dw_large = 1, .dw_collides = 1},
     24, {PER_PANEL, 896, 10, 1}, {DIRECT, GRAD_DW_FAR, 256, 14}},
    /* A block of fewer than 24 rows is too small for packing panel by panel. */
    {"step, 1000 classes, AVX-512, 23 rows left", LEVEL(avx512), &l2_1m, STEP, F32, 256, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .dw_large = 1, .dw_collides = 1},
     23, {UNPACKED, 896, 1000, 0}, {DIRECT, GRAD_DW_FAR, 256, 14}},
    /* W and dW do not collide. */
    {"step, 1000 classes, padded", LEVEL(avx2), &l2_512k, STEP, F32, 256, 2048, 1000, 0, 2064,
     {.block_rows = 256, .prefetch_pace = 1, .dw_large = 1, .grad_columns = 1},
     256, {UNPACKED, 896, 1000, 0}, {COLUMNS, GRAD_DW_FAR, 2048, 1000}},
    /* Few samples and a dW too large for the workspace, which has room for the scores of 256
     * rows. */
    {"step, 1000 classes, 1 sample", LEVEL(avx2), &l2_512k, STEP, F32, 1, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .dw_large = 1, .dw_collides = 1, .grad_columns = 1},
     1, {UNPACKED, 896, 1000, 0}, {DIRECT, 0, 2048, 5}},
    /* A dW of 256 KiB stays in cache; with one more class it counts as large. */
    {"step, dW of 256 KiB", LEVEL(avx2), &l2_512k, STEP, F32, 256, 16, 4096, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .sums_in_workspace = 1, .grad_columns = 1},
     256, {UNPACKED, 896, 4096, 0}, {COLUMNS, 0, 16, 4096}},
    {"step, dW of more than 256 KiB", LEVEL(avx2), &l2_512k, STEP, F32, 256, 16, 4097, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .dw_large = 1, .grad_columns = 1},
     256, {UNPACKED, 896, 4097, 0}, {COLUMNS, GRAD_DW_FAR, 16, 4097}},
    /* So does one of 256 KiB in the caller's rows, but not in the workspace, whose rows are a cache
     * line longer. */
    {"step, dW of 256 KiB, 260 KiB in the workspace", LEVEL(avx2), &l2_512k, STEP, F32, 256, 1024, 64, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .dw_collides = 1, .grad_columns = 1},
     256, {PER_PANEL, 896, 6, 2}, {COLUMNS, 0, 1024, 64}},

    /* ---- Scores in f32 ---- */

    {"scores, 1 sample", LEVEL(avx2), &l2_512k, SCORE, F32, 1, 3072, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 2},
     1, {UNPACKED, 896, 10, 0}, {0}},
    /* Scores with a packed W keep no block in L2: a chunk of features stays there for all
     * panels. */
    {"scores, colliding W, AVX2", LEVEL(avx2), &l2_512k, SCORE, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     256, {PER_PANEL, 896, 6, 2}, {0}},
    /* Few features: the classes along the lanes, with AVX2 if there are 4 classes, twice as many as features, and 16
     * samples, with AVX-512 8 classes, as many as features, and 32 samples. */
    {"scores, 4 features, 10 classes", LEVEL(avx2), &l2_512k, SCORE, F32, 64, 4, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     64, {PER_PANEL, 32, 160, 1}, {0}},
    {"scores, 8 features, 16 classes", LEVEL(avx2), &l2_512k, SCORE, F32, 16, 8, 16, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     16, {PER_PANEL, 32, 160, 1}, {0}},
    {"scores, 8 features, 15 classes", LEVEL(avx2), &l2_512k, SCORE, F32, 16, 8, 15, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2},
     16, {UNPACKED, 896, 15, 0}, {0}},
    {"scores, 9 features, 18 classes", LEVEL(avx2), &l2_512k, SCORE, F32, 16, 9, 18, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2},
     16, {UNPACKED, 896, 18, 0}, {0}},
    {"scores, 16 features, 16 classes, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 32, 16, 16, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     32, {PER_PANEL, 32, 160, 1}, {0}},
    {"scores, 16 features, 15 classes, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 64, 16, 15, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     64, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, 17 features, 170 classes, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 64, 17, 170, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     64, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, 4 features, 8 classes, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 32, 4, 8, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1},
     32, {PER_PANEL, 32, 160, 1}, {0}},
    {"scores, 4 features, 1000 classes, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 31, 4, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2},
     31, {UNPACKED, 896, 1000, 0}, {0}},
    {"step, 1 feature, 3 classes", LEVEL(avx2), &l2_512k, STEP, F32, 64, 1, 3, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .sums_in_workspace = 1},
     64, {UNPACKED, 1792, 3, 0}, {DIRECT, 0, 1, 3}},
    /* The weights of the next panels are prefetched if W exceeds 256 KiB. */
    {"scores, W of 256 KiB, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 64, 512, 128, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1}, 64, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, W of more, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 64, 512, 129, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1, .prefetches_weights = 1},
     64, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, W of more, AVX2", LEVEL(avx2), &l2_512k, SCORE, F32, 64, 512, 129, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1, .prefetches_weights = 1},
     64, {PER_PANEL, 896, 6, 2}, {0}},
    /* With AVX-512 48 samples pay for packing, with colliding rows of W 24. */
    {"scores, 48 samples, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 48, 784, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1}, 48, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, 47 samples, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 47, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 2}, 47, {UNPACKED, 896, 10, 0}, {0}},
    {"scores, colliding W, 24 samples, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 24, 1024, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .packs = 1}, 24, {PER_PANEL, 896, 10, 1}, {0}},
    {"scores, padded W, AVX2", LEVEL(avx2), &l2_512k, SCORE, F32, 256, 3072, 10, 0, 3088,
     {.block_rows = 32, .prefetch_pace = 2},
     32, {UNPACKED, 896, 10, 0}, {0}},
    {"scores from memory, AVX-512", LEVEL(avx512), &l2_1m, SCORE, F32, 20000, 3072, 10, 0, 3088,
     {.block_rows = 256, .prefetch_rows = 16, .prefetch_pace = 2, .x_far = 1, .packs = 1},
     256, {PER_PANEL, 896, 10, 1}, {0}},
    /* With AVX2 the chunks are the same for X in memory. */
    {"scores from memory, AVX2, colliding W", LEVEL(avx2), &l2_512k, SCORE, F32, 20000, 3072, 10, 0, 0,
     {.block_rows = 256, .prefetch_rows = 16, .prefetch_pace = 2, .x_far = 1, .packs = 1},
     256, {PER_PANEL, 896, 6, 2}, {0}},
    /* The last block has 32 rows, fewer than 48. */
    {"scores from memory, AVX-512, last block", LEVEL(avx512), &l2_1m, SCORE, F32, 20000, 3072, 10, 0, 3088,
     {.block_rows = 256, .prefetch_rows = 16, .prefetch_pace = 2, .x_far = 1, .packs = 1},
     32, {UNPACKED, 896, 10, 0}, {0}},
    {"scores from memory, AVX2", LEVEL(avx2), &l2_512k, SCORE, F32, 20000, 3072, 10, 0, 3088,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 2, .x_far = 1},
     16, {UNPACKED, 896, 10, 0}, {0}},

    /* ---- The gradient in f32 ---- */

    /* X is read once, so blocks need not fit L2. A colliding dW is summed in a panel on the stack, but not with AVX-512,
     * unless there are few rows. */
    {"gradient, colliding dW, AVX2", LEVEL(avx2), &l2_512k, GRAD, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {PANEL, GRAD_PREFETCH_X, 512, 10}},
    {"gradient, colliding dW, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     16, {0}, {DIRECT, GRAD_PREFETCH_X, 3072, 10}},
    {"gradient, colliding dW, AVX-512, 15 rows", LEVEL(avx512), &l2_1m, GRAD, F32, 15, 3072, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     15, {0}, {DIRECT, GRAD_PREFETCH_X, 3072, 5}},
    {"gradient, 15 rows, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 15, 784, 26, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     15, {0}, {DIRECT, GRAD_PREFETCH_X, 784, 14}},
    /* Few features and many classes: the classes along the lanes. */
    {"gradient, 8 features, 24 classes", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 8, 24, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     16, {0}, {TRANSPOSED, 0, 8, 512}},
    {"gradient, 8 features, 23 classes", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 8, 23, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 480, 14}},
    {"gradient, 9 features, 24 classes", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 9, 24, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 480, 14}},
    /* One to three classes: rows of X are added to all of dW, or to 2048 features of it. */
    {"gradient, 1 class", LEVEL(avx2), &l2_512k, GRAD, F32, 256, 6144, 1, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     256, {0}, {ROWS, GRAD_PREFETCH_X, 6144, 1}},
    {"gradient, 3 classes", LEVEL(avx2), &l2_512k, GRAD, F32, 256, 3072, 3, 0, 0,
     {.block_rows = 256, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     256, {0}, {ROWS, GRAD_PREFETCH_X, 2048, 3}},
    {"gradient, padded dW", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 3072, 10, 0, 3088,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 3072, 10}},
    /* With AVX-512 up to nine classes prefetch X into L1, a tile of 16 KiB ahead, unless its rows collide there, and up to five
     * nothing that fits L2. */
    {"gradient, 9 classes, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 784, 9, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = TO_L1}, 128, {0}, {DIRECT, TO_L1, 784, 9}},
    {"gradient, 9 classes, L1 of 32 KiB, AVX-512", LEVEL(avx512), &l2_512k, GRAD, F32, 256, 784, 9, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 784, 9}},
    {"gradient, 8 classes, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 784, 8, 0, 0,
     {.block_rows = 80, .prefetch_pace = 2, .grad_flags = TO_L1}, 80, {0}, {DIRECT, TO_L1, 784, 8}},
    {"gradient, 9 classes, colliding X, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 1024, 9, 0, 1040,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 1024, 9}},
    {"gradient, 5 classes, X of 1 MiB, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 512, 512, 5, 0, 528,
     {.block_rows = 128, .prefetch_pace = 2}, 128, {0}, {DIRECT, 0, 512, 5}},
    {"gradient, 5 classes, X of more, AVX-512", LEVEL(avx512), &l2_1m, GRAD, F32, 513, 512, 5, 0, 528,
     {.block_rows = 64, .prefetch_pace = 2, .grad_flags = TO_L1}, 64, {0}, {DIRECT, TO_L1, 512, 5}},
    {"gradient, 6 classes, bf16, AVX-512", LEVEL(avx512), &l2_1m, GRAD, BF16, 256, 784, 6, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 784, 6}},
    {"gradient, 1 sample", LEVEL(avx2), &l2_512k, GRAD, F32, 1, 3072, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     1, {0}, {DIRECT, GRAD_PREFETCH_X, 3072, 5}},
    /* X in memory changes nothing: it is prefetched along the rows. */
    {"gradient from memory", LEVEL(avx2), &l2_512k, GRAD, F32, 20000, 3072, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .x_far = 1, .dw_collides = 1,
      .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {PANEL, GRAD_PREFETCH_X, 512, 10}},
    {"gradient, dW of 256 KiB", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 1008, 64, 0, 1024,
     {.block_rows = 128, .prefetch_pace = 2, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     128, {0}, {DIRECT, GRAD_PREFETCH_X, 480, 14}},
    {"gradient, dW of more than 256 KiB", LEVEL(avx512), &l2_1m, GRAD, F32, 256, 1008, 65, 0, 1024,
     {.block_rows = 256, .prefetch_pace = 2, .dw_large = 1, .dw_collides = 1, .grad_flags = GRAD_PREFETCH_X},
     256, {0}, {DIRECT, GRAD_PREFETCH_X | GRAD_DW_FAR, 256, 14}},

    /* ---- bf16 ---- */

    /* AVX512-BF16 packs even a padded W. A block has as many rows as in f32, because other levels
     * widen rows to f32. */
    {"bf16 step, AVX512-BF16", LEVEL(avx512bf16), &l2_1m, STEP, BF16, 256, 3072, 10, 0, 3088,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1},
     32, {PACKED, 512, 10, 0}, {DIRECT, 0, 3072, 10}},
    /* With fewer than 160 features a packed W would break the error bound. */
    {"bf16 step, AVX512-BF16, 159 features", LEVEL(avx512bf16), &l2_1m, STEP, BF16, 256, 159, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .sums_in_workspace = 1},
     256, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 159, 10}},
    {"bf16 step, AVX512-BF16, 160 features", LEVEL(avx512bf16), &l2_1m, STEP, BF16, 256, 160, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1},
     256, {PACKED, 512, 10, 0}, {DIRECT, 0, 160, 10}},
    /* AMX packs for 32 samples or more, AVX512-BF16 for 64 or more. */
    {"bf16 step, AVX512-BF16, 32 samples", LEVEL(avx512bf16), &l2_1m, STEP, BF16, 32, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1, .sums_in_workspace = 1},
     32, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"bf16 step, AMX, 32 samples", LEVEL(amx), &l2_1m, STEP, BF16, 32, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1},
     32, {PACKED, 512, 10, 0}, {DIRECT, 0, 784, 10}},
    {"bf16 step, AMX, 31 samples", LEVEL(amx), &l2_1m, STEP, BF16, 31, 784, 10, 0, 0,
     {.block_rows = 124, .prefetch_pace = 1, .sums_in_workspace = 1},
     31, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"bf16 scores, AMX, last block of 32", LEVEL(amx), &l2_1m, SCORE, BF16, 20000, 3072, 10, 0, 3088,
     {.block_rows = 256, .prefetch_rows = 16, .prefetch_pace = 2, .x_far = 1, .packs = 1},
     32, {PER_PANEL, 512, 10, 1}, {0}},
    /* 16 MiB hold twice as many samples as in f32. */
    {"bf16 step, matrix of 16 MiB, AVX-512", LEVEL(avx512), &l2_1m, STEP, BF16, 64, 1024, 10, 8192, 1040,
     {.block_rows = 96, .prefetch_pace = 1, .sums_in_workspace = 1, .packs = 1, .packs_once = 1},
     64, {PACKED, 896, 10, 0}, {DIRECT, 0, 1024, 10}},
    {"bf16 step, matrix of more, AVX-512", LEVEL(avx512), &l2_1m, STEP, BF16, 64, 1024, 10, 8193, 1040,
     {.block_rows = 48, .prefetch_rows = 48, .prefetch_pace = 1, .x_far = 1, .packs = 1, .packs_once = 1,
      .sums_in_workspace = 1},
     48, {PACKED, 896, 10, 0}, {DIRECT, 0, 1024, 10}},
    {"bf16 step, 1000 classes, AMX", LEVEL(amx), &l2_1m, STEP, BF16, 256, 2048, 1000, 0, 2064,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .dw_large = 1},
     256, {PER_PANEL, 512, 10, 2}, {DIRECT, GRAD_DW_FAR, 256, 10}},

    /* ---- Bytes ---- */

    /* 256 KiB hold 85 rows, rounded down to 80 for whole groups of 8. The f32 decisions about W and
     * dW do not apply. */
    {"u8 step", LEVEL(avx2), &l2_512k, STEP, U8, 256, 3072, 10, 0, 0,
     {.block_rows = 80, .prefetch_pace = 1},
     80, {0, 1088, 0, 0}, {DIRECT, 0, 3072, 10}},
    {"u8 step from memory", LEVEL(avx512vnni), &l2_1m, STEP, U8, 256, 3072, 10, 20000, 0,
     {.block_rows = 80, .prefetch_pace = 1, .x_far = 1},
     80, {0, 1600, 0, 0}, {DIRECT, 0, 3072, 10}},
    /* A single panel of classes reads the rows once; with more panels, chunks of features stay in
     * L2. */
    {"u8 step, 11 classes", LEVEL(avx2), &l2_512k, STEP, U8, 256, 3072, 11, 0, 0,
     {.block_rows = 80, .prefetch_pace = 1},
     80, {0, 1088, 0, 0}, {DIRECT, 0, 1024, 10}},
    {"u8 step, 1 sample", LEVEL(avx2), &l2_512k, STEP, U8, 1, 3072, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1},
     1, {0, 1088, 0, 0}, {DIRECT, 0, 3072, 10}},
    /* A block has 8 to 256 rows. */
    {"u8 step, wide samples", LEVEL(avx2), &l2_512k, STEP, U8, 256, 40000, 10, 0, 0,
     {.block_rows = 8, .prefetch_pace = 1},
     8, {0, 1088, 0, 0}, {DIRECT, 0, 40000, 10}},
    {"u8 step, narrow samples", LEVEL(avx2), &l2_512k, STEP, U8, 1000, 784, 10, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1},
     256, {0, 1088, 0, 0}, {DIRECT, 0, 784, 10}},
    {"u8 scores, 1 sample", LEVEL(avx2), &l2_512k, SCORE, U8, 1, 3072, 10, 0, 0,
     {.block_rows = 4, .prefetch_pace = 2},
     1, {0, 1088, 0, 0}, {0}},
    {"u8 scores from memory", LEVEL(avx2), &l2_512k, SCORE, U8, 20000, 3072, 10, 0, 0,
     {.block_rows = 80, .prefetch_pace = 2, .x_far = 1},
     80, {0, 1088, 0, 0}, {0}},
    /* The gradient of bytes alone prefetches along its rows into L1, 64 rows of half a line with AVX2. */
    {"u8 gradient from memory", LEVEL(avx2), &l2_512k, GRAD, U8, 20000, 3072, 10, 0, 0,
     {.block_rows = 64, .prefetch_pace = 2, .x_far = 1, .grad_flags = GRAD_PREFETCH_X},
     64, {0}, {DIRECT, GRAD_PREFETCH_X, 3072, 10}},

    /* ---- An L2 of 256 KiB ---- */

    /* Half the block of an L2 of 512 KiB; the 121 KiB of dW still fit beside it. */
    {"L2 of 256 KiB, step", LEVEL(avx2), &l2_256k, STEP, F32, 256, 3072, 10, 0, 0,
     {.block_rows = 16, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1, .grad_columns = 1},
     16, {PACKED, 896, 6, 0}, {COLUMNS, 0, 3072, 10}},
    {"L2 of 256 KiB, 32 of MNIST", LEVEL(avx2), &l2_256k, STEP, F32, 32, 784, 10, 0, 0,
     {.block_rows = 60, .prefetch_pace = 1, .sums_in_workspace = 1},
     32, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    {"L2 of 256 KiB, MNIST from memory", LEVEL(avx2), &l2_256k, STEP, F32, 256, 784, 10, 60000, 0,
     {.block_rows = 28, .prefetch_rows = 28, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1},
     28, {UNPACKED, 896, 10, 0}, {DIRECT, 0, 784, 10}},
    /* Half of 16 rows would be too few for a panel of the gradient. */
    {"L2 of 256 KiB, step from memory", LEVEL(avx2), &l2_256k, STEP, F32, 256, 3072, 10, 20000, 3088,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1, .grad_columns = 1},
     16, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 3072, 10}},
    {"L2 of 256 KiB, 2048 features from memory", LEVEL(avx2), &l2_256k, STEP, F32, 256, 2048, 10, 20000, 2064,
     {.block_rows = 16, .prefetch_rows = 16, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1, .grad_columns = 1},
     16, {UNPACKED, 896, 10, 0}, {COLUMNS, 0, 2048, 10}},
    /* Even with a larger L2 a block has fewer than 16 of these rows. */
    {"L2 of 256 KiB, 4096 features from memory", LEVEL(avx2), &l2_256k, STEP, F32, 256, 4096, 5, 20000, 4112,
     {.block_rows = 12, .prefetch_rows = 12, .prefetch_pace = 1, .x_far = 1, .sums_in_workspace = 1},
     12, {UNPACKED, 896, 5, 0}, {DIRECT, 0, 4096, 10}},
    {"L2 of 256 KiB, scores", LEVEL(avx2), &l2_256k, SCORE, F32, 256, 3072, 10, 0, 3088,
     {.block_rows = 16, .prefetch_pace = 2},
     16, {UNPACKED, 896, 10, 0}, {0}},
    {"L2 of 256 KiB, gradient from memory", LEVEL(avx2), &l2_256k, GRAD, F32, 20000, 784, 10, 0, 0,
     {.block_rows = 128, .prefetch_pace = 2, .x_far = 1, .grad_flags = GRAD_PREFETCH_X},
     28, {0}, {DIRECT, GRAD_PREFETCH_X, 784, 10}},
    /* 241 KiB of dW fit an L2 of 512 KiB, but not one of 256 KiB: there a block has as many rows as
     * the workspace has scores. W is packed once on both. */
    {"L2 of 512 KiB, step, 20 classes", LEVEL(avx2), &l2_512k, STEP, F32, 256, 3072, 20, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .sums_in_workspace = 1, .grad_columns = 1},
     32, {PACKED, 896, 6, 0}, {COLUMNS, 0, 3072, 20}},
    {"L2 of 256 KiB, step, 20 classes", LEVEL(avx2), &l2_256k, STEP, F32, 256, 3072, 20, 0, 0,
     {.block_rows = 32, .prefetch_pace = 1, .packs = 1, .packs_once = 1, .dw_large = 1, .dw_collides = 1, .grad_columns = 1},
     32, {PACKED, 896, 6, 0}, {COLUMNS, GRAD_DW_FAR, 3072, 20}},
    {"L2 of 256 KiB, step, 20 classes, 1 sample", LEVEL(avx2), &l2_256k, STEP, F32, 1, 3072, 20, 0, 0,
     {.block_rows = 4, .prefetch_pace = 1, .dw_large = 1, .dw_collides = 1, .grad_columns = 1},
     1, {UNPACKED, 896, 20, 0}, {DIRECT, 0, 3072, 5}},
    /* 256 rows of 128 features fill half of L2. */
    {"L2 of 256 KiB, 1000 classes, AVX-512", LEVEL(avx512), &l2_256k, STEP, F32, 256, 2048, 1000, 0, 0,
     {.block_rows = 256, .prefetch_pace = 1, .packs = 1, .prefetches_weights = 1, .dw_large = 1, .dw_collides = 1},
     256, {PER_PANEL, 896, 10, 1}, {DIRECT, GRAD_DW_FAR, 128, 14}},
    {"L2 of 256 KiB, u8 step", LEVEL(avx2), &l2_256k, STEP, U8, 256, 3072, 10, 0, 0,
     {.block_rows = 40, .prefetch_pace = 1},
     40, {0, 1088, 0, 0}, {DIRECT, 0, 3072, 10}},
    {"L2 of 256 KiB, u8 gradient, 100 classes", LEVEL(avx2), &l2_256k, GRAD, U8, 20000, 3072, 100, 0, 0,
     {.block_rows = 64, .prefetch_pace = 2, .x_far = 1, .grad_flags = GRAD_PREFETCH_X},
     64, {0}, {DIRECT, GRAD_PREFETCH_X, 512, 10}},
};
/* clang-format on */

static struct plan_shape shape_of(const struct plan_case *c)
{
    const size_t ld = c->ldw == 0 ? c->d : c->ldw, x_rows = c->x_rows == 0 ? c->n : c->x_rows;
    return (struct plan_shape){
        .operation = (enum operation)c->operation,
        .element = (enum element)c->element,
        .n = c->n,
        .d = c->d,
        .c = c->c,
        .x_bytes = x_rows * c->d * element_bytes((enum element)c->element),
        .ldx = c->d,
        .ldw = c->operation == GRAD || c->element == U8 ? 0 : ld,
        .lddw = c->operation == SCORE || c->element == U8 ? 0 : ld,
    };
}

static void test_plan__common_shapes__expected_decisions(void **state)
{
    (void)state;
    size_t checked = 0, wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct plan_case *c = &cases[i];
        const downhill_kernels *kernels = downhill_levels[c->level].table;
        if (kernels == NULL) {
            print_message("%s: skipped: %s is not compiled\n", c->name,
                          downhill_levels[c->level].name);
            continue;
        }
        checked++;
        const struct plan_shape shape = shape_of(c);
        const struct plan plan = downhill_make_plan(kernels, c->caches, &shape);
/* Prints a member that is not as expected, and continues. */
#define EXPECT(got, expected)                                                                      \
    do {                                                                                           \
        const unsigned long long is = (unsigned long long)(got),                                   \
                                 should = (unsigned long long)(expected);                          \
        if (is != should) {                                                                        \
            print_error("%s: %s is %llu, expected %llu\n", c->name, #got, is, should);             \
            wrong++;                                                                               \
        }                                                                                          \
    } while (0)
        EXPECT(plan.element, c->element);
        EXPECT(plan.d, c->d);
        EXPECT(plan.c, c->c);
        EXPECT(plan.block_rows, c->plan.block_rows);
        EXPECT(plan.prefetch_rows, c->plan.prefetch_rows);
        EXPECT(plan.prefetch_pace, c->plan.prefetch_pace);
        EXPECT(plan.x_far, c->plan.x_far);
        EXPECT(plan.packing != NULL, c->plan.packs);
        EXPECT(plan.packs_once, c->plan.packs_once);
        EXPECT(plan.sums_in_workspace, c->plan.sums_in_workspace);
        EXPECT(plan.grad_direct, kernels->grad_direct);
        EXPECT(plan.grad_flags, c->plan.grad_flags);
        if (c->operation != GRAD && c->element == U8)
            EXPECT(plan.score_features, c->score.features);
        if (c->operation != GRAD && c->element != U8) {
            const struct score_plan score = downhill_plan_score(&plan, c->rows);
            EXPECT(score.method, c->score.method);
            EXPECT(score.features, c->score.features);
            EXPECT(score.classes, c->score.classes);
            EXPECT(score.panels, c->score.panels);
            EXPECT(score.prefetches_weights, c->plan.prefetches_weights);
        }
        if (c->operation != SCORE) {
            EXPECT(plan.dw_large, c->plan.dw_large);
            EXPECT(plan.dw_collides, c->plan.dw_collides);
            EXPECT(plan.grad_columns, c->plan.grad_columns);
            const struct grad_plan grad = downhill_plan_grad(&plan, c->rows);
            EXPECT(grad.method, c->grad.method);
            EXPECT(grad.flags, c->grad.flags);
            EXPECT(grad.features, c->grad.features);
            EXPECT(grad.classes, c->grad.classes);
        }
#undef EXPECT
    }
    assert_int_equal(wrong, 0);
    assert_true(checked > 0);
}

/* ---- Every shape ---- */

static const size_t grid_n[] = {1, 4, 5, 15, 16, 32, 64, 20000},
                    grid_d[] = {1, 9, 16, 160, 784, 3072, 4096, 30000, 200000},
                    grid_c[] = {1, 8, 10, 11, 14, 20, 161, 4096, 5000},
                    grid_x_rows[] = {1, 500000}, /* at least n */
    grid_l2[] = {8 * KIB,   64 * KIB,  100 * KIB,  256 * KIB, 384 * KIB,
                 500 * KIB, 512 * KIB, 1280 * KIB, 64 * MIB};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Removes the last digit, in this base, from the number of a grid point, and returns it. */
static size_t digit(size_t *number, size_t base)
{
    const size_t last = *number % base;
    *number /= base;
    return last;
}

/* Calls `check` for the plan of every point of the grid. */
static void for_each_plan(void (*check)(const downhill_kernels *kernels,
                                        const struct cache_sizes *caches,
                                        const struct plan_shape *shape, const struct plan *plan))
{
    size_t plans = 0;
    for (size_t point = 0;; point++) {
        size_t i = point;
        const downhill_kernels *kernels = downhill_levels[digit(&i, LEVEL_COUNT)].table;
        /* The gradient prefetches into an L1 of 48 KiB or more. */
        const size_t l2 = grid_l2[digit(&i, LENGTH(grid_l2))];
        const struct cache_sizes caches = {(l2 >= MIB ? 48 : 8) * KIB, l2, 0};
        struct plan_shape shape = {
            .operation = (enum operation)digit(&i, OPERATION_STEP + 1),
            .element = (enum element)digit(&i, ELEMENT_U8 + 1),
            .n = grid_n[digit(&i, LENGTH(grid_n))],
            .d = grid_d[digit(&i, LENGTH(grid_d))],
            .c = grid_c[digit(&i, LENGTH(grid_c))],
        };
        const size_t x_rows = grid_x_rows[digit(&i, LENGTH(grid_x_rows))];
        shape.x_bytes =
            (x_rows < shape.n ? shape.n : x_rows) * shape.d * element_bytes(shape.element);
        shape.ldx = shape.ldw = shape.lddw = digit(&i, 2) == 0 ? shape.d : spread_ld(shape.d);
        if (i > 0)
            break;
        if (kernels == NULL)
            continue;
        const struct plan plan = downhill_make_plan(kernels, &caches, &shape);
        check(kernels, &caches, &shape, &plan);
        plans++;
    }
    print_message("%zu plans\n", plans);
    assert_true(plans > 100000);
}

/* Block sizes for which scores and gradient are planned. */
static const size_t grid_rows[] = {1, 2, 4, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256};

static void check_arrays(const downhill_kernels *kernels, const struct cache_sizes *caches,
                         const struct plan_shape *shape, const struct plan *plan)
{
    assert_in_range(plan->block_rows, 1, BLOCK_ROWS_MAX);
    assert_in_range(plan->prefetch_rows, 0, BLOCK_ROWS_MAX);
    assert_in_range(plan->prefetch_pace, 1, 2);
    for (size_t i = 0; i < LENGTH(grid_rows) && grid_rows[i] <= plan->block_rows; i++) {
        if (shape->operation != OPERATION_SCORE) {
            const struct grad_plan grad = downhill_plan_grad(plan, grid_rows[i]);
            assert_true(grad.features >= 1 && grad.classes >= 1);
            if (grad.method == GRAD_TRANSPOSED)
                assert_true(grad.features <= TRANSPOSED_FEATURES &&
                            grad.classes <= TRANSPOSED_CLASSES);
            else if (shape->element == ELEMENT_U8 || grad.method == GRAD_PANEL)
                assert_in_range(grad.classes, 1, PANEL_CLASSES);
            else if (kernels->grad_classes != SIZE_MAX)
                assert_in_range(grad.classes, 1,
                                shape->element == ELEMENT_BF16 ? PANEL_CLASSES
                                                               : GRAD_CLASSES_AVX512);
            if (grad.method == GRAD_PANEL)
                assert_true(grad.features <= PANEL_FEATURES);
            if (grad.method == GRAD_COLUMNS)
                assert_true(kernels->grad_columns_f32 != NULL &&
                            kernels->grad_columns_bf16 != NULL);
        }
        if (shape->operation == OPERATION_GRAD || shape->element == ELEMENT_U8)
            continue;
        const struct score_plan score = downhill_plan_score(plan, grid_rows[i]);
        assert_true(score.features >= 1 && score.classes >= 1);
        assert_in_range(score.rows, 2,
                        BLOCK_ROWS_MAX); /* a part of one row might have another order of sums */
        if (score.method != SCORE_PACK_PER_PANEL && shape->c > PANEL_CLASSES && score.rows > 4)
            assert_true(score.rows * sizeof(float) *
                            (shape->d < score.features ? shape->d : score.features) <=
                        caches->l2 / 2);
        if (score.method == SCORE_UNPACKED)
            continue;
        assert_non_null(plan->packing);
        assert_true(score.pace <= 2 && (score.pace == 0 || plan->packing->driver_prefetches));
        assert_int_equal(score.method == SCORE_PACKED, plan->packs_once);
        assert_int_equal(score.classes, plan->packing->classes);
        assert_true(plan->packing->d_max > 0 || score.classes <= PANEL_CLASSES);
        /* A chunk is rounded up to whole groups. */
        assert_int_equal(score.features % PACK_GROUP, 0);
        if (score.method == SCORE_PACK_PER_PANEL) {
            assert_in_range(score.panels, 1, PANELS_MAX);
            assert_true(score.panels * score.features * score.classes <= PACK_WEIGHTS);
            assert_true(!score.prefetches_weights ||
                        (score.pace == 0 && score.classes <= PANEL_CLASSES));
        }
    }
}

static void test_plan__any_shape__fits_the_arrays(void **state)
{
    (void)state;
    for_each_plan(check_arrays);
}

/* Returns whether `bytes` bytes from `at` on end at or before `end`. */
static int fits_before(const void *at, size_t bytes, uintptr_t end)
{
    return (uintptr_t)at + bytes <= end;
}

static void check_workspace(const downhill_kernels *kernels, const struct cache_sizes *caches,
                            const struct plan_shape *shape, const struct plan *plan)
{
    (void)kernels, (void)caches;
    if (shape->operation != OPERATION_STEP)
        return;
    const size_t d = shape->d, c = shape->c, rows = plan->block_rows;
    /* Never accessed. */
    char *const memory = (char *)(uintptr_t)(LINE_BYTES + 4);
    if (shape->element == ELEMENT_U8) {
        const size_t bytes = downhill_workspace_u8_bytes(d, c);
        if (bytes == 0)
            return;
        const struct workspace_u8 w = downhill_workspace_u8_in(memory, d, c);
        assert_true(fits_before(w.scores, rows * w.lds * sizeof *w.scores, (uintptr_t)w.dscores));
        assert_true(
            fits_before(w.dscores, rows * w.ldds * sizeof *w.dscores, (uintptr_t)w.sums.dw));
        assert_true(fits_before(w.sums.db, c * sizeof *w.sums.db, (uintptr_t)memory + bytes));
        return;
    }
    const uintptr_t end = (uintptr_t)memory + downhill_workspace_f32_bytes(d, c);
    const struct workspace_f32 w = downhill_workspace_f32_in(memory, d, c);
    assert_true(w.lds >= c);
    assert_true(fits_before(w.scores, rows * w.lds * sizeof *w.scores, end));
    if (plan->sums_in_workspace) {
        assert_non_null(w.sums.dw);
        assert_true(w.sums.lddw >= d);
        assert_true(
            fits_before(w.sums.dw, c * w.sums.lddw * sizeof *w.sums.dw, (uintptr_t)w.packed));
    }
    if (plan->packs_once) {
        assert_non_null(w.packed);
        assert_true(
            fits_before(w.packed, c * packed_ld(d) * sizeof *w.packed, (uintptr_t)w.scores));
    }
}

/* On a hybrid CPU the workspace may be sized on one core and the step run on another. */
static void test_plan__any_l2__fits_the_workspace(void **state)
{
    (void)state;
    for_each_plan(check_workspace);
}

static void check_same_from_512k(const downhill_kernels *kernels, const struct cache_sizes *caches,
                                 const struct plan_shape *shape, const struct plan *plan)
{
    if (caches->l2 < 512 * KIB)
        return;
    const struct plan same = downhill_make_plan(kernels, &l2_512k, shape);
    assert_int_equal(plan->l2, same.l2);
    if (shape->element == ELEMENT_U8) /* exact in any order */
        return;
    /* The blocks of a gradient alone go with its prefetches; dW is the same chains of FMAs over any. */
    if (shape->operation != OPERATION_GRAD)
        assert_int_equal(plan->block_rows, same.block_rows);
    assert_int_equal(plan->prefetch_rows, same.prefetch_rows);
    assert_int_equal(plan->x_far, same.x_far);
    assert_ptr_equal(plan->packing, same.packing);
    assert_int_equal(plan->packs_once, same.packs_once);
    assert_int_equal(plan->sums_in_workspace, same.sums_in_workspace);
    assert_int_equal(plan->dw_large, same.dw_large);
    assert_int_equal(plan->dw_collides, same.dw_collides);
    for (size_t i = 0; i < LENGTH(grid_rows); i++) {
        const struct score_plan score = downhill_plan_score(plan, grid_rows[i]),
                                same_score = downhill_plan_score(&same, grid_rows[i]);
        const struct grad_plan grad = downhill_plan_grad(plan, grid_rows[i]),
                               same_grad = downhill_plan_grad(&same, grid_rows[i]);
        assert_int_equal(score.method, same_score.method);
        assert_int_equal(score.rows, same_score.rows);
        assert_int_equal(score.features, same_score.features);
        assert_int_equal(score.classes, same_score.classes);
        assert_int_equal(grad.method, same_grad.method);
        assert_int_equal(grad.flags & ~(unsigned)TO_L1, same_grad.flags & ~(unsigned)TO_L1);
        assert_int_equal(grad.features, same_grad.features);
        assert_int_equal(grad.classes, same_grad.classes);
    }
}

/* Plans may differ in the prefetches and blocks of the gradient alone, which change no bits. */
static void test_plan__l2_of_512k_or_more__same_bits(void **state)
{
    (void)state;
    for_each_plan(check_same_from_512k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan__common_shapes__expected_decisions),
        cmocka_unit_test(test_plan__any_shape__fits_the_arrays),
        cmocka_unit_test(test_plan__any_l2__fits_the_workspace),
        cmocka_unit_test(test_plan__l2_of_512k_or_more__same_bits),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
