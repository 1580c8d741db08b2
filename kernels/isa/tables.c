/* SPDX-License-Identifier: MIT
 *
 * The kernel table of each level. Each is a complete literal in read-only memory, so that every
 * kernel and every fallback of a level is visible here. */
#include "isa/tables.h"

#include <string.h>

/* HAVE(LEVEL), HAVE_AUTO(LEVEL): whether this build has the kernels of a level. A build system
 * defines DOWNHILL_HAVE_<LEVEL> and DOWNHILL_HAVE_AUTO_<LEVEL> for every level of levels.def; a
 * missing one is an error. Without a build system, GCC 12 and Clang 14 or later compile all
 * hand-written levels on x86-64, unless DOWNHILL_SCALAR_ONLY is defined; the auto_ levels need
 * flags. */
#if defined DOWNHILL_HAVE_AVX2
#pragma GCC diagnostic error "-Wundef"
#define HAVE(level)      DOWNHILL_HAVE_##level
#define HAVE_AUTO(level) DOWNHILL_HAVE_AUTO_##level
#elif defined __x86_64__ && !defined DOWNHILL_SCALAR_ONLY
#define HAVE(level)      1
#define HAVE_AUTO(level) 0
#else
#define HAVE(level)      0
#define HAVE_AUTO(level) 0
#endif

#define ALL SIZE_MAX

/* Features per call of the scores with four classes or more; fewer classes get more (plan.c). A tile of 5 classes ×
 * 1024 features is 20 KiB of W, which stays in a 32 or 48 KiB L1 while the rows of the block stream past it. Larger
 * chunks would save some of the horizontal sums at the end of a tile, 4 % of its time at 1024. One sample uses each
 * weight once, so that its own features are all that must stay in L1. With AVX2 and AVX-512 the order of a sum
 * depends on d and c alone, so that one sample has the same chunks as many. Of 896 features, 6 classes are 21 KiB.
 * The 10 classes of a panel for AVX-512 are 35 KiB, more than an L1 of 32 KiB: with such a CPU the panel is read from
 * L2, at up to 32 bytes per cycle (not timed). */
enum { SCORE_FEATURES = 1024, SCORE_FEATURES_FIXED = 896 };

/* Features per call of the scores with two bf16 terms per weight: 10 classes take 20 KiB. Their error bound counts
 * chunks of this size. */
enum { PACKED_FEATURES = 512 };

/* Features of bytes per call of the scores at most, so that 32-bit sums hold them. With AVX2 a lane sums 128 pairs of
 * products with 16-bit weights, 128·2·255·32639 < 2³¹; with AVX-512 it sums 64 pairs, and two lanes are added. */
enum { U8_FEATURES = 2048 };

/* Rows of a block of the gradient of bytes alone, which prefetches the next column of them into L1. With 64 features
 * per column that is 8 KiB. With 32 features a line has to stay in L1 for two columns, and a block has half as many
 * rows. */
enum { U8_GRAD_ROWS_X64 = 128, U8_GRAD_ROWS_X32 = 64 };

static const struct downhill_u8_kernels u8_scalar = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = BLOCK_ROWS_MAX,
    .pack = downhill_pack_u8_scalar,
    .score = downhill_score_u8_scalar,
    .hinge = downhill_hinge_u8_scalar,
    .softmax = downhill_softmax_u8_scalar,
    .grad = downhill_grad_u8_scalar,
    .grad_wide = downhill_grad_u8_scalar,
    .update = downhill_update_u8_scalar,
};

static const downhill_kernels table_scalar = {
    .name = "scalar",
    .score_f32 = downhill_score_f32_scalar,
    .score_bf16 = downhill_score_bf16_scalar,
    .score_features = SCORE_FEATURES,
    .score_features_one = 4 * SCORE_FEATURES,
    .hinge_f32 = downhill_hinge_f32_scalar,
    .softmax_f32 = downhill_softmax_f32_scalar,
    .grad_f32 = downhill_grad_f32_scalar,
    .grad_bf16 = downhill_grad_bf16_scalar,
    .grad_classes = PANEL_CLASSES,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_bias_f32 = downhill_grad_bias_f32_scalar,
    .update_f32 = downhill_update_f32_scalar,
    .u8 = &u8_scalar,
};

const downhill_kernels downhill_table_fma = {
    .name = "fma",
    .fixed_order_f32 = 1,
    .fixed_order_bf16 = 1,
    .score_f32 = downhill_score_f32_fma,
    .score_bf16 = downhill_score_bf16_fma,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .hinge_f32 = downhill_hinge_f32_fma,
    .softmax_f32 = downhill_softmax_f32_fma,
    .grad_f32 = downhill_grad_f32_fma,
    .grad_bf16 = downhill_grad_bf16_fma,
    .grad_classes = PANEL_CLASSES,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_bias_f32 = downhill_grad_bias_f32_scalar,
    .update_f32 = downhill_update_f32_scalar,
    .u8 = &u8_scalar,
};
#define TABLE_fma &downhill_table_fma

/* Packing takes as long as the scores of ten samples. With AVX-512 packed weights take 0.86 to 1.03 of the time of
 * unpacked ones for 48 samples, and 0.9 to 0.97 for 24 samples if rows of W collide (Zen 5). */
enum {
    PACKED_SAMPLES_MIN = 64,
    PACKED_SAMPLES_MIN_X16 = 48,
    PACKED_SAMPLES_MIN_COLLIDING_X16 = 24
};

/* Limits of the packing for few features. Packing takes as long as the scores of ten samples, with AVX-512 of thirty.
 * With AVX2 the classes along the lanes take 0.16 to 0.24 of the time (4 features) or 0.57 to 0.69 (8), with AVX-512
 * 0.2 to 0.95 (4 to 16 features, 8 to 1000 classes, Zen 5). */
enum {
    SHORT_FEATURES_X8 = 8,
    SHORT_FEATURES_X16 = 16,
    SHORT_CLASSES = 160,
    SHORT_CLASSES_MIN_X8 = 4,
    SHORT_CLASSES_MIN_X16 = 8,
    SHORT_PER_FEATURE_X8 = 2,
    SHORT_PER_FEATURE_X16 = 1,
    SHORT_SAMPLES_MIN_X8 = 16,
    SHORT_SAMPLES_MIN_X16 = 32
};
_Static_assert(SHORT_CLASSES_MIN_X8 *PACK_GROUP >= SHORT_WEIGHTS_X8 &&
                   9 * PACK_GROUP >= 2 * SHORT_WEIGHTS_X8,
               "few classes, padded to whole groups, fit their room");
_Static_assert(SHORT_CLASSES_MIN_X16 *PACK_GROUP >= SHORT_WEIGHTS_X16 &&
                   17 * PACK_GROUP >= 2 * SHORT_WEIGHTS_X16,
               "few classes, padded to whole groups, fit their room");

#if HAVE_AUTO(AVX2)
static const struct downhill_u8_kernels u8_auto_avx2 = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = BLOCK_ROWS_MAX,
    .pack = downhill_pack_u8_auto_avx2,
    .score = downhill_score_u8_auto_avx2,
    .hinge = downhill_hinge_u8_auto_avx2,
    .softmax = downhill_softmax_u8_auto_avx2,
    .grad = downhill_grad_u8_auto_avx2,
    .grad_wide = downhill_grad_u8_auto_avx2,
    .update = downhill_update_u8_auto_avx2,
};

static const downhill_kernels table_auto_avx2 = {
    .name = "auto_avx2",
    .score_f32 = downhill_score_f32_auto_avx2,
    .score_bf16 = downhill_score_bf16_auto_avx2,
    .score_features = SCORE_FEATURES,
    .score_features_one = 4 * SCORE_FEATURES,
    .hinge_f32 = downhill_hinge_f32_auto_avx2,
    .softmax_f32 = downhill_softmax_f32_auto_avx2,
    .grad_f32 = downhill_grad_f32_auto_avx2,
    .grad_bf16 = downhill_grad_bf16_auto_avx2,
    .grad_classes = PANEL_CLASSES,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_bias_f32 = downhill_grad_bias_f32_auto_avx2,
    .update_f32 = downhill_update_f32_auto_avx2,
    .u8 = &u8_auto_avx2,
};
#define TABLE_auto_avx2 &table_auto_avx2
#else
#define TABLE_auto_avx2 NULL
#endif

#if HAVE(AVX2)
static const struct downhill_packing packing_f32_avx2 = {
    .pack = downhill_pack_f32,
    .score = downhill_score_packed_f32_avx2,
    .features = SCORE_FEATURES_FIXED,
    .classes = 6,
    .c_min = 4,
    .n_min = PACKED_SAMPLES_MIN,
    .n_min_colliding = PACKED_SAMPLES_MIN,
    .policy = PACKS_COLLIDING,
    .driver_prefetches = 1,
};

static const struct downhill_packing packing_bf16_avx2 = {
    .pack = downhill_pack_f32,
    .score = downhill_score_packed_bf16_avx2,
    .features = SCORE_FEATURES_FIXED,
    .classes = 5,
    .c_min = 4,
    .n_min = PACKED_SAMPLES_MIN,
    .n_min_colliding = PACKED_SAMPLES_MIN,
    .policy = PACKS_COLLIDING,
    .driver_prefetches = 1,
};

static const struct downhill_packing packing_short_f32_avx2 = {
    .pack = downhill_pack_short_x8_f32,
    .score = downhill_score_short_f32_avx2,
    .features = PACK_GROUP,
    .classes = SHORT_CLASSES,
    .c_min = SHORT_CLASSES_MIN_X8,
    .c_per_feature = SHORT_PER_FEATURE_X8,
    .n_min = SHORT_SAMPLES_MIN_X8,
    .n_min_colliding = SHORT_SAMPLES_MIN_X8,
    .d_max = SHORT_FEATURES_X8,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_packing packing_short_bf16_avx2 = {
    .pack = downhill_pack_short_x8_f32,
    .score = downhill_score_short_bf16_avx2,
    .features = PACK_GROUP,
    .classes = SHORT_CLASSES,
    .c_min = SHORT_CLASSES_MIN_X8,
    .c_per_feature = SHORT_PER_FEATURE_X8,
    .n_min = SHORT_SAMPLES_MIN_X8,
    .n_min_colliding = SHORT_SAMPLES_MIN_X8,
    .d_max = SHORT_FEATURES_X8,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_u8_kernels u8_avx2 = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = U8_GRAD_ROWS_X32,
    .pack = downhill_pack_u8_avx2,
    .score = downhill_score_u8_avx2,
    .hinge = downhill_hinge_u8_avx2,
    .softmax = downhill_softmax_u8_avx2,
    .grad = downhill_grad_u8_avx2,
    .grad_wide = downhill_grad_wide_u8_avx2,
    .update = downhill_update_u8_avx2,
};

static const downhill_kernels table_avx2 = {
    .name = "avx2",
    .fixed_order_f32 = 1,
    .fixed_order_bf16 = 1,
    .score_f32 = downhill_score_f32_avx2,
    .score_bf16 = downhill_score_bf16_avx2,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx2,
    .packing_bf16 = &packing_bf16_avx2,
    .packing_short_f32 = &packing_short_f32_avx2,
    .packing_short_bf16 = &packing_short_bf16_avx2,
    .hinge_f32 = downhill_hinge_f32_avx2,
    .softmax_f32 = downhill_softmax_f32_avx2,
    .grad_f32 = downhill_grad_f32_avx2,
    .grad_bf16 = downhill_grad_bf16_avx2,
    .grad_classes = ALL,
    .grad_classes_bf16 = ALL,
    .grad_columns_f32 = downhill_grad_columns_f32_avx2,
    .grad_columns_bf16 = downhill_grad_columns_bf16_avx2,
    .grad_rows_f32 = downhill_grad_rows_f32_avx2,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx2,
    .grad_bias_f32 = downhill_grad_bias_f32_avx2,
    .update_f32 = downhill_update_f32_avx2,
    .u8 = &u8_avx2,
};
#define TABLE_avx2 &table_avx2
#else
#define TABLE_avx2 NULL
#endif

#if HAVE(AVXVNNI)
static const struct downhill_u8_kernels u8_avxvnni = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = U8_GRAD_ROWS_X32,
    .pack = downhill_pack_u8_avxvnni,
    .score = downhill_score_u8_avxvnni,
    .hinge = downhill_hinge_u8_avx2,
    .softmax = downhill_softmax_u8_avx2,
    .grad = downhill_grad_u8_avxvnni,
    .grad_wide = downhill_grad_wide_u8_avxvnni,
    .update = downhill_update_u8_avx2,
};

static const downhill_kernels table_avxvnni = {
    .name = "avxvnni",
    .fixed_order_f32 = 1,
    .fixed_order_bf16 = 1,
    .score_f32 = downhill_score_f32_avx2,
    .score_bf16 = downhill_score_bf16_avx2,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx2,
    .packing_bf16 = &packing_bf16_avx2,
    .packing_short_f32 = &packing_short_f32_avx2,
    .packing_short_bf16 = &packing_short_bf16_avx2,
    .hinge_f32 = downhill_hinge_f32_avx2,
    .softmax_f32 = downhill_softmax_f32_avx2,
    .grad_f32 = downhill_grad_f32_avx2,
    .grad_bf16 = downhill_grad_bf16_avx2,
    .grad_classes = ALL,
    .grad_classes_bf16 = ALL,
    .grad_columns_f32 = downhill_grad_columns_f32_avx2,
    .grad_columns_bf16 = downhill_grad_columns_bf16_avx2,
    .grad_rows_f32 = downhill_grad_rows_f32_avx2,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx2,
    .grad_bias_f32 = downhill_grad_bias_f32_avx2,
    .update_f32 = downhill_update_f32_avx2,
    .u8 = &u8_avxvnni,
};
#define TABLE_avxvnni &table_avxvnni
#else
#define TABLE_avxvnni NULL
#endif

#if HAVE_AUTO(AVX512)
static const struct downhill_u8_kernels u8_auto_avx512 = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = BLOCK_ROWS_MAX,
    .pack = downhill_pack_u8_auto_avx512,
    .score = downhill_score_u8_auto_avx512,
    .hinge = downhill_hinge_u8_auto_avx512,
    .softmax = downhill_softmax_u8_auto_avx512,
    .grad = downhill_grad_u8_auto_avx512,
    .grad_wide = downhill_grad_u8_auto_avx512,
    .update = downhill_update_u8_auto_avx512,
};

static const downhill_kernels table_auto_avx512 = {
    .name = "auto_avx512",
    .score_f32 = downhill_score_f32_auto_avx512,
    .score_bf16 = downhill_score_bf16_auto_avx512,
    .score_features = SCORE_FEATURES,
    .score_features_one = 4 * SCORE_FEATURES,
    .hinge_f32 = downhill_hinge_f32_auto_avx512,
    .softmax_f32 = downhill_softmax_f32_auto_avx512,
    .grad_f32 = downhill_grad_f32_auto_avx512,
    .grad_bf16 = downhill_grad_bf16_auto_avx512,
    .grad_classes = PANEL_CLASSES,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_bias_f32 = downhill_grad_bias_f32_auto_avx512,
    .update_f32 = downhill_update_f32_auto_avx512,
    .u8 = &u8_auto_avx512,
};
#define TABLE_auto_avx512 &table_auto_avx512
#else
#define TABLE_auto_avx512 NULL
#endif

#if HAVE(AVX512)
static const struct downhill_packing packing_f32_avx512 = {
    .pack = downhill_pack_f32,
    .score = downhill_score_packed_f32_avx512,
    .features = SCORE_FEATURES_FIXED,
    .classes = PANEL_CLASSES,
    .c_min = 4,
    .n_min = PACKED_SAMPLES_MIN_X16,
    .n_min_colliding = PACKED_SAMPLES_MIN_COLLIDING_X16,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_packing packing_bf16_avx512 = {
    .pack = downhill_pack_f32,
    .score = downhill_score_packed_bf16_avx512,
    .features = SCORE_FEATURES_FIXED,
    .classes = PANEL_CLASSES,
    .c_min = 4,
    .n_min = PACKED_SAMPLES_MIN_X16,
    .n_min_colliding = PACKED_SAMPLES_MIN_COLLIDING_X16,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_packing packing_short_f32_avx512 = {
    .pack = downhill_pack_short_x16_f32,
    .score = downhill_score_short_f32_avx512,
    .features = PACK_GROUP,
    .classes = SHORT_CLASSES,
    .c_min = SHORT_CLASSES_MIN_X16,
    .c_per_feature = SHORT_PER_FEATURE_X16,
    .n_min = SHORT_SAMPLES_MIN_X16,
    .n_min_colliding = SHORT_SAMPLES_MIN_X16,
    .d_max = SHORT_FEATURES_X16,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_packing packing_short_bf16_avx512 = {
    .pack = downhill_pack_short_x16_f32,
    .score = downhill_score_short_bf16_avx512,
    .features = PACK_GROUP,
    .classes = SHORT_CLASSES,
    .c_min = SHORT_CLASSES_MIN_X16,
    .c_per_feature = SHORT_PER_FEATURE_X16,
    .n_min = SHORT_SAMPLES_MIN_X16,
    .n_min_colliding = SHORT_SAMPLES_MIN_X16,
    .d_max = SHORT_FEATURES_X16,
    .policy = PACKS_ALWAYS,
};

static const struct downhill_u8_kernels u8_avx512 = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = U8_GRAD_ROWS_X64,
    .pack = downhill_pack_u8_avx512,
    .score = downhill_score_u8_avx512,
    .hinge = downhill_hinge_u8_avx512,
    .softmax = downhill_softmax_u8_avx512,
    .grad = downhill_grad_u8_avx512,
    .grad_wide = downhill_grad_wide_u8_avx512,
    .update = downhill_update_u8_avx512,
};

static const downhill_kernels table_avx512 = {
    .name = "avx512",
    .fixed_order_f32 = 1,
    .fixed_order_bf16 = 1,
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx512,
    .packing_bf16 = &packing_bf16_avx512,
    .packing_short_f32 = &packing_short_f32_avx512,
    .packing_short_bf16 = &packing_short_bf16_avx512,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_avx512,
    .grad_rows_f32 = downhill_grad_rows_f32_avx512,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx512,
    .grad_classes = GRAD_CLASSES_AVX512,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_direct = 1,
    .grad_bias_f32 = downhill_grad_bias_f32_avx512,
    .update_f32 = downhill_update_f32_avx512,
    .u8 = &u8_avx512,
};
#define TABLE_avx512 &table_avx512
#else
#define TABLE_avx512 NULL
#endif

#if HAVE(AVX512VNNI)
static const struct downhill_u8_kernels u8_avx512vnni = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES,
    .grad_rows = U8_GRAD_ROWS_X64,
    .pack = downhill_pack_u8_avx512vnni,
    .score = downhill_score_u8_avx512vnni,
    .hinge = downhill_hinge_u8_avx512,
    .softmax = downhill_softmax_u8_avx512,
    .grad = downhill_grad_u8_avx512vnni,
    .grad_wide = downhill_grad_wide_u8_avx512vnni,
    .update = downhill_update_u8_avx512,
};

static const downhill_kernels table_avx512vnni = {
    .name = "avx512vnni",
    .fixed_order_f32 = 1,
    .fixed_order_bf16 = 1,
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx512,
    .packing_bf16 = &packing_bf16_avx512,
    .packing_short_f32 = &packing_short_f32_avx512,
    .packing_short_bf16 = &packing_short_bf16_avx512,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_avx512,
    .grad_rows_f32 = downhill_grad_rows_f32_avx512,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx512,
    .grad_classes = GRAD_CLASSES_AVX512,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_direct = 1,
    .grad_bias_f32 = downhill_grad_bias_f32_avx512,
    .update_f32 = downhill_update_f32_avx512,
    .u8 = &u8_avx512vnni,
};
#define TABLE_avx512vnni &table_avx512vnni
#else
#define TABLE_avx512vnni NULL
#endif

#if HAVE(AVX512BF16)
/* d_min follows from the error bound (score_packed_bf16_avx512bf16.c). The policy is
 * PACKS_ALWAYS, so that the scores use the instructions of the level. With X in a cache they
 * gain or lose only a few per cent by it; the step gains a third from the gradient. */
static const struct downhill_packing packing_bf16_avx512bf16 = {
    .pack = downhill_pack_bf16_avx512bf16,
    .score = downhill_score_packed_bf16_avx512bf16,
    .features = PACKED_FEATURES,
    .classes = PANEL_CLASSES,
    .n_min = PACKED_SAMPLES_MIN,
    .n_min_colliding = PACKED_SAMPLES_MIN,
    .d_min = 160,
    .policy = PACKS_ALWAYS,
    .driver_prefetches = 1,
    .splits_weights = 1,
};

static const downhill_kernels table_avx512bf16 = {
    .name = "avx512bf16",
    .fixed_order_f32 = 1,
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx512,
    .packing_bf16 = &packing_bf16_avx512bf16,
    .packing_short_f32 = &packing_short_f32_avx512,
    .packing_short_bf16 = &packing_short_bf16_avx512,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_avx512bf16,
    .grad_rows_f32 = downhill_grad_rows_f32_avx512,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx512,
    .grad_classes = GRAD_CLASSES_AVX512,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_direct = 1,
    .grad_bias_f32 = downhill_grad_bias_f32_avx512,
    .update_f32 = downhill_update_f32_avx512,
    .u8 = &u8_avx512vnni,
};
#define TABLE_avx512bf16 &table_avx512bf16
#else
#define TABLE_avx512bf16 NULL
#endif

#if HAVE(AMX)
static const struct downhill_packing packing_bf16_amx = {
    .pack = downhill_pack_bf16_amx,
    .score = downhill_score_packed_bf16_amx,
    .features = PACKED_FEATURES,
    .classes = PANEL_CLASSES,
    .n_min = 32,
    .n_min_colliding = 32,
    .d_min = 160,
    .policy = PACKS_ALWAYS,
    .driver_prefetches = 1,
    .splits_weights = 1,
};

/* A weight is two signed bytes; the sums of a chunk fit in 32 bits: 255·128·16384 < 2³¹. */
enum { U8_FEATURES_AMX = 16384 };

static const struct downhill_u8_kernels u8_amx = {
    .classes = PANEL_CLASSES,
    .features = U8_FEATURES_AMX,
    .grad_rows = U8_GRAD_ROWS_X64,
    .pack = downhill_pack_u8_amx,
    .score = downhill_score_u8_amx,
    .hinge = downhill_hinge_u8_avx512,
    .softmax = downhill_softmax_u8_avx512,
    .grad = downhill_grad_u8_amx,
    .grad_wide = downhill_grad_wide_u8_avx512vnni,
    .update = downhill_update_u8_avx512,
};

static const downhill_kernels table_amx = {
    .name = "amx",
    .fixed_order_f32 = 1,
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .score_features = SCORE_FEATURES_FIXED,
    .score_features_one = SCORE_FEATURES_FIXED,
    .packing_f32 = &packing_f32_avx512,
    .packing_bf16 = &packing_bf16_amx,
    .packing_short_f32 = &packing_short_f32_avx512,
    .packing_short_bf16 = &packing_short_bf16_avx512,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_amx,
    .grad_rows_f32 = downhill_grad_rows_f32_avx512,
    .grad_rows_bf16 = downhill_grad_rows_bf16_avx512,
    .grad_classes = GRAD_CLASSES_AVX512,
    .grad_classes_bf16 = PANEL_CLASSES,
    .grad_direct = 1,
    .grad_bias_f32 = downhill_grad_bias_f32_avx512,
    .update_f32 = downhill_update_f32_avx512,
    .u8 = &u8_amx,
};
#define TABLE_amx &table_amx
#else
#define TABLE_amx NULL
#endif

#define TABLE_scalar &table_scalar

const struct level downhill_levels[LEVEL_COUNT] = {
#define DOWNHILL_LEVEL(name, kind, auto_name, features, shares, f32, bf16, bytes)                  \
    {#name, DOWNHILL_KIND_##kind, auto_name, FEATURES_OF_LEVEL(features), TABLE_##name},
#include "isa/levels.def"
};

/* Checks the feature lists: a level has the features of the level in its `shares` column, and
 * those that it adds. An auto_ level has the list of a hand-written one. */
#define FEATURES_ADDED_BASELINE(features) 0
#define FEATURES_ADDED_AUTO(features)     FEATURES_OF_LEVEL(features)
#define FEATURES_ADDED_HAND(features)     FEATURES_IN(DOWNHILL_ADDED_##features)
#define DOWNHILL_LEVEL(name, kind, auto_name, features, shares, f32, bf16, bytes)                  \
    _Static_assert(FEATURES_OF_LEVEL(features) ==                                                  \
                       (FEATURES_OF_LEVEL(shares) | FEATURES_ADDED_##kind(features)),              \
                   "features.h: DOWNHILL_FEATURES_" #features " is not that of " #shares           \
                   " and DOWNHILL_ADDED_" #features);
#include "isa/levels.def"

size_t downhill_level_find(const char *name)
{
    size_t i = 0;
    while (i < LEVEL_COUNT && strcmp(downhill_levels[i].name, name) != 0)
        i++;
    return i;
}

int downhill_same_kernels(const downhill_kernels *a, const downhill_kernels *b,
                          enum element element)
{
    if (element == ELEMENT_U8)
        return a->u8 == b->u8;
    if (a->hinge_f32 != b->hinge_f32 || a->softmax_f32 != b->softmax_f32 ||
        a->update_f32 != b->update_f32)
        return 0;
    if (element == ELEMENT_F32)
        return a->score_f32 == b->score_f32 && a->packing_f32 == b->packing_f32 &&
               a->packing_short_f32 == b->packing_short_f32 && a->grad_f32 == b->grad_f32 &&
               a->grad_columns_f32 == b->grad_columns_f32 && a->grad_rows_f32 == b->grad_rows_f32;
    return a->score_bf16 == b->score_bf16 && a->packing_bf16 == b->packing_bf16 &&
           a->packing_short_bf16 == b->packing_short_bf16 && a->grad_bf16 == b->grad_bf16 &&
           a->grad_columns_bf16 == b->grad_columns_bf16 && a->grad_rows_bf16 == b->grad_rows_bf16;
}
