/* SPDX-License-Identifier: MIT
 *
 * The micro-kernels and their table. A micro-kernel validates nothing, allocates nothing, keeps no
 * state, and reads and writes not one byte outside its arguments. It sees a block of at most
 * BLOCK_ROWS_MAX rows through an array of row pointers, so that leading dimensions, scattered rows
 * and the start of a block of features are all the same to it; blocking is the frame's work
 * (ops.c, step.c). Definitions, bounds and formulas are in downhill.h. */
#ifndef DOWNHILL_KERNELS_H
#define DOWNHILL_KERNELS_H

#include "downhill.h"
#include "isa/arithmetic.h"
#include "isa/target.h"
#include "simd/prefetch.h"

enum { BLOCK_ROWS_MAX = 256 };

/* Types of a feature. bf16 is the upper half of an f32, which the kernels compute with or as exactly. */
enum element { ELEMENT_F32, ELEMENT_BF16, ELEMENT_U8 };

static inline size_t element_bytes(enum element element)
{
    return element == ELEMENT_F32 ? sizeof(float) : element == ELEMENT_BF16 ? sizeof(uint16_t) : 1;
}

static inline const void *feature_at(enum element element, const void *row, size_t k)
{
    return (const char *)row + k * element_bytes(element);
}

/* W and dW are taken in panels of so many classes. */
enum { PANEL_CLASSES = 10 };

enum grad_flags {
    GRAD_ACCUMULATE = 1, /* add to dW instead of overwriting it */
    GRAD_X_FAR = 2,      /* X is farther away than L2 */
    GRAD_DW_FAR = 4,     /* so is dW */
};

/* Row pointers behind the n-th that must be readable: a kernel may prefetch what they point to. */
enum { ROWS_PAST_END = 2 };

typedef void downhill_score_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *w, size_t ldw, float *scores, size_t lds,
                                   struct prefetch *prefetch);
typedef void downhill_score_packed_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                          const float *packed, float *scores, size_t lds,
                                          struct prefetch *prefetch);
typedef void downhill_pack_kernel(size_t d, size_t c, const float *w, size_t ldw, float *packed);
typedef void downhill_grad_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch);

/* Every layout of packed weights takes 4 bytes for each, and whole groups of so many features. */
enum { PACK_GROUP = 32 };

/* Scores of many samples with weights packed for the purpose. */
struct downhill_packed_score {
    downhill_pack_kernel *pack;
    downhill_score_packed_kernel *score; /* scores += X Wᵀ for c <= classes */
    size_t classes;                      /* packed together, <= PANEL_CLASSES */
    size_t n_min;                        /* fewer samples do not pay for the packing */
    size_t d_min;                        /* with fewer features the bound would not hold */
    enum { PACKS_COLLIDING, PACKS_FAR, PACKS_ALWAYS } where; /* the later ones in addition */
};

/* Bytes. All sums are exact, so that every level gives the same bits whatever their order. */

/* Packed weights are of whole groups of so many features, in panels of `classes`; two bytes for each
 * weight, so that feature k of a panel of c classes is 2·k·c bytes behind its first. */
enum { U8_GROUP = 64 };

/* Four samples go together: so many row pointers behind the n-th must be valid, and their dscores 0. */
enum { U8_ROWS_PAST_END = 3 };

/* a + b modulo 2³², which the sums of integers are where the caller's own leave their range. */
static inline int32_t wrapped_sum(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* Dscores of a block and a panel of up to PANEL_CLASSES classes, zeros behind those. */
typedef int16_t downhill_dscores[BLOCK_ROWS_MAX + U8_ROWS_PAST_END][16];

/* Class j of a panel of c: q = w·factor, rounded to nearest even, |q| <= 32639, in the order that the
 * scores want; zeros behind the last feature. Where a weight is not finite, any numbers. The
 * classes of a panel come one after the other, each while its weights are still in L1. */
typedef void downhill_pack_u8_kernel(size_t d, size_t c, size_t j, const float *w, float factor,
                                     void *panel);
/* scores_ij += unit_j Σ_k x_ik q_jk for a panel; unit_j is a power of two, or NaN. */
typedef void downhill_score_u8_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                      const void *packed, const double *unit, double *scores,
                                      size_t lds, struct prefetch *prefetch);
/* Loss in units of DOWNHILL_LOSS_UNIT, and dscores. */
typedef double downhill_hinge_u8_kernel(size_t n, size_t c, const double *scores, size_t lds,
                                        const int32_t *y, double delta, int16_t *dscores,
                                        size_t ldds);
/* dw += dscoresᵀ X, or =, for a panel. */
typedef void downhill_grad_u8_kernel(size_t n, size_t d, size_t c, const void *const *x,
                                     downhill_dscores dscores, unsigned flags, int32_t *dw,
                                     size_t lddw, struct prefetch *prefetch);
/* What the normalisation is like; a hint, by which less is read. */
enum update_flags {
    UPDATE_CENTERED = 1, /* without it all of mean are 0 */
    UPDATE_SCALED = 2    /* without it all of gain are the same */
};

/* One class: w = decay·w - (step·gain)·(times·dw - mean·sum), a rounding each, dw to f32 among them.
 * times is 1, or, where dw are the bytes of a single sample, its dscore: that product is exact, and 0
 * is added to it, lest it be -0.
 * Returns the largest of the |w|, by its bits, which put a NaN last. */
typedef uint32_t downhill_update_u8_kernel(size_t d, unsigned flags, float decay, float step,
                                           float sum, float times, const int32_t *dw,
                                           const float *mean, const float *gain, float *w);

struct downhill_u8_kernels {
    size_t classes; /* of a panel */
    size_t chunk;   /* features of one call of the scores, whole groups */
    downhill_pack_u8_kernel *pack;
    downhill_score_u8_kernel *score;
    downhill_hinge_u8_kernel *hinge;
    downhill_grad_u8_kernel *grad;
    downhill_update_u8_kernel *update;
};

struct downhill_kernels {
    const char *name;

    /* scores += X Wᵀ. X n×d by row pointers, W c×d, scores n×c. */
    downhill_score_kernel *score_f32, *score_bf16;

    /* The same for many samples, where the level gains by it; else NULL. */
    const struct downhill_packed_score *packed_f32, *packed_bf16;

    /* Loss and dscores; dscores may be scores. Labels are in range. Returns the sum of losses. */
    double (*hinge_f32)(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                        float delta, float *dscores, size_t ldds);
    double (*softmax_f32)(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                          float *dscores, size_t ldds);

    /* dW = dscoresᵀ X, or added to what is there. X n×d by row pointers, dscores n×c, dW c×d. Fast
     * where dW is near and its rows are not a multiple of 4 KiB apart. */
    downhill_grad_kernel *grad_f32, *grad_bf16;
    size_t grad_direct_min; /* so many samples hide a dW that is far: it is written once for them */

    /* w = decay·w - step·g, count elements, three roundings each. */
    void (*update_f32)(size_t count, float decay, float step, const float *g, float *w);

    const struct downhill_u8_kernels *u8;
};

#define DOWNHILL_PROTOTYPES(level)                                                                 \
    downhill_score_kernel downhill_score_f32_##level, downhill_score_bf16_##level;                 \
    downhill_score_packed_kernel downhill_score_packed_f32_##level,                                \
        downhill_score_packed_bf16_##level;                                                        \
    downhill_pack_kernel downhill_pack_bf16_##level;                                               \
    downhill_grad_kernel downhill_grad_f32_##level, downhill_grad_bf16_##level;                    \
    double downhill_hinge_f32_##level(size_t n, size_t c, const float *scores, size_t lds,         \
                                      const int32_t *y, float delta, float *dscores, size_t ldds); \
    double downhill_softmax_f32_##level(size_t n, size_t c, const float *scores, size_t lds,       \
                                        const int32_t *y, float *dscores, size_t ldds);            \
    void downhill_update_f32_##level(size_t count, float decay, float step, const float *g,        \
                                     float *w);                                                    \
    downhill_pack_u8_kernel downhill_pack_u8_##level;                                              \
    downhill_score_u8_kernel downhill_score_u8_##level;                                            \
    downhill_hinge_u8_kernel downhill_hinge_u8_##level;                                            \
    downhill_grad_u8_kernel downhill_grad_u8_##level;                                              \
    downhill_update_u8_kernel downhill_update_u8_##level;

#define DOWNHILL_LEVEL(name, kind, auto_name, features) DOWNHILL_PROTOTYPES(name)
#include "isa/levels.def"

/* score/pack_f32.c */
downhill_pack_kernel downhill_pack_f32x8, downhill_pack_f32x16;

/* Whether two tables have the same kernels for features of this type. */
int downhill_same_kernels(const downhill_kernels *a, const downhill_kernels *b,
                          enum element element);

/* Number of the level, in the order of levels.def, that a machine with these usable features
 * (cpu.h) gets. Pure; for downhill_select and for the tests of recorded CPUs. */
size_t downhill_level_choose(uint32_t usable);

#endif
