/* SPDX-License-Identifier: MIT
 *
 * The micro-kernels and their table. A micro-kernel validates nothing, allocates nothing, keeps no state, and reads and
 * writes only its arguments. Kernels that read X get at most BLOCK_ROWS_MAX rows through an array of row
 * pointers, so that ldx, scattered rows and the first feature of a chunk make no difference to them. driver/ cuts the
 * work into blocks. Definitions, bounds and formulas are in downhill.h. */
#ifndef DOWNHILL_KERNELS_H
#define DOWNHILL_KERNELS_H

#include "downhill.h"
#include "isa/arithmetic.h"
#include "isa/target.h"

struct prefetch; /* simd/prefetch.h */

enum { BLOCK_ROWS_MAX = 256 };

/* Data type of a feature. bf16 is the upper half of an f32; downhill.h states the bounds. */
enum element { ELEMENT_F32, ELEMENT_BF16, ELEMENT_U8 };

static inline size_t element_bytes(enum element element)
{
    return element == ELEMENT_F32 ? sizeof(float) : element == ELEMENT_BF16 ? sizeof(uint16_t) : 1;
}

static inline const void *feature_at(enum element element, const void *row, size_t k)
{
    return (const char *)row + k * element_bytes(element);
}

/* Maximum number of classes of a panel of W or dW. */
enum { PANEL_CLASSES = 10 };

/* Maximum number of classes of a tile of the gradient in f32 with AVX-512. */
enum { GRAD_CLASSES_AVX512 = 14 };

/* Returns the number of features of a tile of this many classes: at least 8 vectors of sums with two classes or more.
 * In the transposed gradient of one or two features these are the classes, and up to 512 classes the features. */
static inline size_t grad_tile_features(size_t classes)
{
    return classes < 6 ? 64 : classes == 8 ? 48 : 32;
}

enum grad_flags {
    GRAD_ACCUMULATE = 1,    /* add to dW instead of overwriting it */
    GRAD_PREFETCH_X = 2,    /* X may be beyond L2: prefetch along its rows */
    GRAD_PREFETCH_X_L1 = 4, /* prefetch into L1 instead: f32, few classes, AVX-512 */
    GRAD_DW_FAR = 8,        /* dW is beyond L2: prefetch its tiles while the samples are summed */
};

/* Row pointers past the n-th that a gradient kernel may read, in order to prefetch. The driver repeats the last row. */
enum { ROWS_PAST_END = 2 };

/* The scores that a kernel sets: to = from + X Wᵀ. The first chunk of features starts from the bias, the same row for
 * every sample (ld_from 0), the others from the scores so far (from = to). */
struct scores {
    const float *from;
    size_t ld_from;
    float *to;
    size_t ld;
};

/* Returns the scores from sample i and class j on. */
static inline struct scores scores_at(struct scores s, size_t i, size_t j)
{
    return (struct scores){s.from + i * s.ld_from + j, s.ld_from, s.to + i * s.ld + j, s.ld};
}

typedef void downhill_score_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *w, size_t ldw, const struct scores *scores,
                                   struct prefetch *prefetch);
typedef void downhill_score_packed_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                          const float *packed, const struct scores *scores,
                                          struct prefetch *prefetch);
typedef void downhill_pack_kernel(size_t d, size_t c, const float *w, size_t ldw, float *packed);
typedef void downhill_grad_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch);

/* Classes of the gradient by whole rows. */
enum { GRAD_ROWS_CLASSES = 3 };

/* Room for the packed weights of a class in any layout, in floats, is the number of features rounded up to whole
 * groups. Packed weights start at a multiple of 64 bytes. */
enum { PACK_GROUP = 32 };

/* Scores of many samples with packed weights. */
struct downhill_packing {
    downhill_pack_kernel *pack;
    downhill_score_packed_kernel *score; /* for c <= classes */
    size_t features;                     /* per call at most */
    size_t classes;                      /* of a panel */
    size_t c_min;                        /* of all panels; fewer classes do not need packing */
    size_t n_min;                        /* fewer samples do not pay for packing */
    size_t n_min_colliding;              /* n_min if rows of W collide in L1 */
    size_t d_min;                        /* with fewer features the bound would not hold */
    size_t d_max;                        /* 0: any number */
    size_t c_per_feature;                /* minimum number of classes per feature; 0: any */
    enum {
        PACKS_COLLIDING,
        PACKS_ALWAYS
    } policy;              /* whether only rows of W that collide in L1 are packed */
    int driver_prefetches; /* the driver prefetches rows beyond L2, not the kernel or the hardware */
    int splits_weights; /* whether each weight is packed as a sum of bf16 terms: infinity gives NaN */
};

/* ---- bytes: all sums are exact, so every level gives the same bits in any order ---- */

/* Packed weights take two bytes each, in panels of `classes`, in whole groups of this many features. Feature k of a
 * panel of c classes is 2·k·c bytes after its first one. */
enum { U8_GROUP = 64 };

/* Valid row pointers past the n-th. A gradient reads up to three of them, with dscores of 0, because it takes four
 * samples at a time. For the scores they are the rows that are scored next, so that a kernel can prefetch them: the
 * tallest tile has eight. */
enum { U8_ROWS_PAST_END = 8 };

/* Returns a + b modulo 2³². The sums of a caller may exceed the range of int32_t. */
static inline int32_t wrapped_sum(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* Packs class j of a panel of c, and if `classes` is 2 the next one: q = w·factor, rounded to nearest even,
 * |q| <= 32639, in the order that the scores read, with zeros after the last feature. If a weight is not finite, the
 * packed numbers are unspecified. The classes of a panel are all packed, in order, two at a time,
 * while their weights are still in L1. */
enum { U8_PACK_CLASSES = 2 };
typedef void downhill_pack_u8_kernel(size_t d, size_t c, size_t j, size_t classes, const float *w,
                                     size_t ldw, const float *factors, void *panel);
/* Adds the scores of a panel: scores_ij += quantum_j Σ_k x_ik q_jk. A quantum is a power of two,
 * or NaN. */
typedef void downhill_score_u8_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                      const void *packed, const double *quantum, double *scores,
                                      size_t lds);
/* Computes the dscores. Returns the loss in multiples of DOWNHILL_LOSS_UNIT. */
typedef double downhill_hinge_u8_kernel(size_t n, size_t c, const double *scores, size_t lds,
                                        const int32_t *y, double margin, int16_t *dscores,
                                        size_t ldds);
/* Computes the dscores of softmax, in units of 1/DOWNHILL_SOFTMAX_ONE. Returns the loss in multiples of
 * DOWNHILL_LOSS_UNIT. */
typedef double downhill_softmax_u8_kernel(size_t n, size_t c, const double *scores, size_t lds,
                                          const int32_t *y, int16_t *dscores, size_t ldds);
/* Computes dw = dscoresᵀ X for a panel, or adds it to dw. Adds the sums of the dscores to db unless it is NULL. */
typedef void downhill_grad_u8_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                     const int16_t *dscores, size_t ldds, unsigned flags,
                                     int32_t *dw, size_t lddw, int32_t *db);
/* Properties of the normalisation, which allow the update to skip some loads, and of the gradient. */
enum update_flags {
    UPDATE_CENTERED = 1, /* some mean is not 0 */
    UPDATE_SCALED = 2,   /* the gains differ */
    UPDATE_ROUNDED = 4   /* dw holds the sums rounded to f32, not int32_t */
};

/* Updates one class: w = decay·w - (step·gain)·(times·dw - mean·sum). Each operation rounds once, and so does the
 * conversion of dw to f32. times is 1, or the dscore of a single sample whose bytes dw holds; that product is exact,
 * and 0 is added to it to avoid -0. Returns the bits of the largest |w|; a NaN counts as largest. */
typedef uint32_t downhill_update_u8_kernel(size_t d, unsigned flags, float decay, float step,
                                           float sum, float times, const void *dw,
                                           const float *mean, const float *gain, float *w);

struct downhill_u8_kernels {
    size_t classes;   /* of a panel */
    size_t features;  /* per call of the scores at most, whole groups */
    size_t grad_rows; /* of a block of the gradient alone */
    downhill_pack_u8_kernel *pack;
    downhill_score_u8_kernel *score;
    downhill_hinge_u8_kernel *hinge;
    downhill_softmax_u8_kernel *softmax;
    downhill_grad_u8_kernel *grad;      /* fastest if few dscores exceed a signed byte */
    downhill_grad_u8_kernel *grad_wide; /* the same time for any dscores */
    downhill_update_u8_kernel *update;
};

struct downhill_kernels {
    const char *name;

    /* True where the sums of f32 (bf16) features are taken in the order of simd/fixed_order.h. */
    int fixed_order_f32, fixed_order_bf16;

    /* Sets the scores (struct scores). X n×d by row pointers, W c×d, scores n×c. */
    downhill_score_kernel *score_f32, *score_bf16;
    size_t
        score_features; /* per call at most, with four classes or more; plan.c gives fewer classes more */
    size_t score_features_one; /* the same for one sample */

    /* Scores of many samples with packed weights; NULL if packing gains nothing on this level. */
    const struct downhill_packing *packing_f32, *packing_bf16;
    const struct downhill_packing *packing_short_f32,
        *packing_short_bf16; /* preferred where they apply */

    /* Loss and dscores; dscores may be scores. Labels are in range. Returns the sum of losses. */
    double (*hinge_f32)(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                        float margin, float *dscores, size_t ldds);
    double (*softmax_f32)(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                          float *dscores, size_t ldds);

    /* Computes dW = dscoresᵀ X, or adds it to dW. X n×d by row pointers, dscores n×c, dW c×d.
     * Unless grad_direct, fast if dW is in L1 or L2 and its rows are not a multiple of 1 KiB apart. */
    downhill_grad_kernel *grad_f32, *grad_bf16;
    int grad_direct; /* loads and stores dW once per call, which needs no panel */
    size_t grad_classes, grad_classes_bf16; /* of a call, for its best speed; SIZE_MAX: all */

    /* Computes the same column by column, which is faster with many classes, with a dW beyond L2, and if the rows of X
     * fall on one set of L1. Both are NULL if the level has none. */
    downhill_grad_kernel *grad_columns_f32, *grad_columns_bf16;

    /* Computes the same for at most GRAD_ROWS_CLASSES classes and a dW in L1. Both are NULL if the level has none. */
    downhill_grad_kernel *grad_rows_f32, *grad_rows_bf16;

    /* Adds n rows of dscores to db, one after the other. */
    void (*grad_bias_f32)(size_t n, size_t c, const float *dscores, size_t ldds, float *db);

    /* w = decay·w - step·g, count elements, three roundings each. */
    void (*update_f32)(size_t count, float decay, float step, const float *g, float *w);

    const struct downhill_u8_kernels *u8;
};

#define DOWNHILL_PROTOTYPES(level)                                                                 \
    downhill_score_kernel downhill_score_f32_##level, downhill_score_bf16_##level;                 \
    downhill_score_packed_kernel downhill_score_packed_f32_##level,                                \
        downhill_score_packed_bf16_##level, downhill_score_short_f32_##level,                      \
        downhill_score_short_bf16_##level;                                                         \
    downhill_pack_kernel downhill_pack_bf16_##level;                                               \
    downhill_grad_kernel downhill_grad_f32_##level, downhill_grad_bf16_##level;                    \
    downhill_grad_kernel downhill_grad_columns_f32_##level, downhill_grad_columns_bf16_##level;    \
    downhill_grad_kernel downhill_grad_rows_f32_##level, downhill_grad_rows_bf16_##level;          \
    double downhill_hinge_f32_##level(size_t n, size_t c, const float *scores, size_t lds,         \
                                      const int32_t *y, float margin, float *dscores,              \
                                      size_t ldds);                                                \
    double downhill_softmax_f32_##level(size_t n, size_t c, const float *scores, size_t lds,       \
                                        const int32_t *y, float *dscores, size_t ldds);            \
    void downhill_grad_bias_f32_##level(size_t n, size_t c, const float *dscores, size_t ldds,     \
                                        float *db);                                                \
    void downhill_update_f32_##level(size_t count, float decay, float step, const float *g,        \
                                     float *w);                                                    \
    downhill_pack_u8_kernel downhill_pack_u8_##level;                                              \
    downhill_score_u8_kernel downhill_score_u8_##level;                                            \
    downhill_hinge_u8_kernel downhill_hinge_u8_##level;                                            \
    downhill_softmax_u8_kernel downhill_softmax_u8_##level;                                        \
    downhill_grad_u8_kernel downhill_grad_u8_##level, downhill_grad_wide_u8_##level;               \
    downhill_update_u8_kernel downhill_update_u8_##level;

#define DOWNHILL_LEVEL(name, ...) DOWNHILL_PROTOTYPES(name)
#include "isa/levels.def"
DOWNHILL_PROTOTYPES(fma)

/* Returns the number of features of packed weights of short rows, zeros included. */
static inline size_t short_features(size_t d)
{
    return d <= 4 ? 4 : d <= 8 ? 8 : 16;
}

/* Packed weights of short rows that registers hold: 8 vectors of 8, or 16 of 16. */
enum { SHORT_WEIGHTS_X8 = 64, SHORT_WEIGHTS_X16 = 256 };

/* score/pack_f32.c. Short rows are packed in groups of SHORT_WEIGHTS_X8 or SHORT_WEIGHTS_X16 weights. */
downhill_pack_kernel downhill_pack_f32, downhill_pack_short_x8_f32, downhill_pack_short_x16_f32;

#endif
