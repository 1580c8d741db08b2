/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX-512F: one outer product per sample, with the features along the lanes. A register tile of dW stays in
 * registers over all samples of the block (grad_tile_avx512.h).
 *
 * Per sample a tile of 10 classes × 32 features loads 2 vectors of X and a row pointer and broadcasts 10 dscores, for 20 FMAs:
 * 10 cycles of FMAs at two per cycle against 6.5 cycles of loads, 7.5 with the prefetches. 14 classes, 28 sums, leave
 * registers for 2 vectors of X and a broadcast: 14 classes are one pass over X, 28 two. Taking two samples at a time halves
 * the overhead of the loop. Fewer classes take wider tiles to keep at least 8 independent sums (latency of 4 cycles × 2
 * units). Eight classes take 48 features: with 32, 16 FMAs take 8 cycles, and 11 loads and 2 prefetches 6.5, or 7.5 where rows do
 * not start at a cache line.
 *
 * In a step X comes from L2, two lines in 10 cycles. A line is used completely at once, so rows a multiple of 4 KiB apart,
 * which all fall on one set of L1, do little harm. Where prefetches go depends on where X may be (plan.c); later samples
 * that are in memory are prefetched one row per sample (prefetch.h). */
#define DOWNHILL_LEVEL_NAME avx512
#include "grad/grad_tile_avx512.h"

/* Features of one sample that stay in L1, 16 KiB, and vectors at a time. */
enum { ONE_FEATURES = 4096, ONE_VECTORS = 8 };

/* Adds one sample to features k … k + 16 of a row of dW, in the lanes that are on. */
DOWNHILL_INLINE void add_to_row(const enum element element, const __mmask16 lanes,
                                const __mmask16 before, __m512 g_f32x16, const void *x, size_t k,
                                float *row)
{
    const __m512 x_f32x16 = some_features_x16(element, lanes, x, k),
                 sum = _mm512_maskz_loadu_ps(before & lanes, row + k);
    _mm512_mask_storeu_ps(row + k, lanes, _mm512_fmadd_ps(g_f32x16, x_f32x16, sum));
}

/* Computes the gradient of one sample. Its time is that of writing dW once, a row at a time. The features are loaded again for
 * each class, from L1. Writing 1 KiB of each row in turn, with the features in registers, takes 1.5 times as long in L2 and
 * in memory (Zen 5). */
DOWNHILL_INLINE void one_sample(const enum element element, size_t d, size_t c, const void *x,
                                const float *dscores, unsigned flags, float *dw, size_t lddw)
{
    const __mmask16 before = (flags & GRAD_ACCUMULATE) ? 0xFFFF : 0;
    for (size_t first = 0, end; first < d; first = end) {
        end = d - first < ONE_FEATURES ? d : first + ONE_FEATURES;
        for (size_t j = 0; j < c; j++) {
            const __m512 g_f32x16 = _mm512_set1_ps(dscores[j]);
            float *row = dw + j * lddw;
            size_t k = first;
            for (; k + F32X16 * ONE_VECTORS <= end; k += F32X16 * ONE_VECTORS) {
                DOWNHILL_UNROLL
                for (size_t v = 0; v < ONE_VECTORS; v++)
                    add_to_row(element, 0xFFFF, before, g_f32x16, x, k + F32X16 * v, row);
            }
            for (; k < end; k += F32X16)
                add_to_row(element, first_lanes_x16(end - k), before, g_f32x16, x, k, row);
        }
    }
}

/* One function per tile, out of line, so that the compiler allocates the registers of each loop for itself. */
#define TILES_OF(element, target, classes)                                                         \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void element##_##target##_##classes(                          \
        size_t n, size_t d, const void *const *x, const float *dscores, size_t ldds,               \
        unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)                         \
    {                                                                                              \
        row_of_tiles(ELEMENT_##element, target, classes, n, d, x, dscores, ldds, flags, dw, lddw,  \
                     prefetch);                                                                    \
    }
#define TILES_4_TO_9(element, target)                                                              \
    TILES_OF(element, target, 4)                                                                   \
    TILES_OF(element, target, 5)                                                                   \
    TILES_OF(element, target, 6)                                                                   \
    TILES_OF(element, target, 7)                                                                   \
    TILES_OF(element, target, 8)                                                                   \
    TILES_OF(element, target, 9)
#define TILES_1_TO_10(element, target)                                                             \
    TILES_OF(element, target, 1)                                                                   \
    TILES_OF(element, target, 2)                                                                   \
    TILES_OF(element, target, 3)                                                                   \
    TILES_4_TO_9(element, target)                                                                  \
    TILES_OF(element, target, 10)
#define TILES_11_TO_14(element, target)                                                            \
    TILES_OF(element, target, 11)                                                                  \
    TILES_OF(element, target, 12)                                                                  \
    TILES_OF(element, target, 13)                                                                  \
    TILES_OF(element, target, 14)

TILES_1_TO_10(F32, NEXT_ROWS)
TILES_11_TO_14(F32, NEXT_ROWS)
TILES_1_TO_10(F32, NEXT_BLOCK)
TILES_11_TO_14(F32, NEXT_BLOCK)
TILES_1_TO_10(F32, AHEAD_L2)
TILES_11_TO_14(F32, AHEAD_L2)
TILES_4_TO_9(F32, AHEAD_L1)

/* Widening bf16 leaves too few registers for more than ten classes. */
TILES_1_TO_10(BF16, NEXT_ROWS)
TILES_1_TO_10(BF16, NEXT_BLOCK)
TILES_1_TO_10(BF16, AHEAD_L2)

typedef void tiles_kernel(size_t n, size_t d, const void *const *x, const float *dscores,
                          size_t ldds, unsigned flags, float *dw, size_t lddw,
                          struct prefetch *prefetch);

#define NAMES_4_TO_9(element, target)                                                              \
    element##_##target##_4, element##_##target##_5, element##_##target##_6,                        \
        element##_##target##_7, element##_##target##_8, element##_##target##_9
#define NAMES_1_TO_10(element, target)                                                             \
    element##_##target##_1, element##_##target##_2, element##_##target##_3,                        \
        NAMES_4_TO_9(element, target), element##_##target##_10
#define NAMES_11_TO_14(element, target)                                                            \
    element##_##target##_11, element##_##target##_12, element##_##target##_13,                     \
        element##_##target##_14

/* By target and number of classes, minus 1. */
static tiles_kernel *const tiles_f32[][TILE_CLASSES] = {
    [NEXT_ROWS] = {NAMES_1_TO_10(F32, NEXT_ROWS), NAMES_11_TO_14(F32, NEXT_ROWS)},
    [NEXT_BLOCK] = {NAMES_1_TO_10(F32, NEXT_BLOCK), NAMES_11_TO_14(F32, NEXT_BLOCK)},
    [AHEAD_L2] = {NAMES_1_TO_10(F32, AHEAD_L2), NAMES_11_TO_14(F32, AHEAD_L2)},
    [AHEAD_L1] = {F32_AHEAD_L2_1, F32_AHEAD_L2_2, F32_AHEAD_L2_3, NAMES_4_TO_9(F32, AHEAD_L1),
                  F32_AHEAD_L2_10, NAMES_11_TO_14(F32, AHEAD_L2)},
};
static tiles_kernel *const tiles_bf16[][PANEL_CLASSES] = {
    [NEXT_ROWS] = {NAMES_1_TO_10(BF16, NEXT_ROWS)},
    [NEXT_BLOCK] = {NAMES_1_TO_10(BF16, NEXT_BLOCK)},
    [AHEAD_L2] = {NAMES_1_TO_10(BF16, AHEAD_L2)},
};

DOWNHILL_TARGET
static void all_tiles(tiles_kernel *const tiles[], size_t classes_max, size_t n, size_t d, size_t c,
                      const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                      float *dw, size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, classes_max);
        tiles[classes - 1](n, d, x, dscores + j, ldds, flags, dw + j * lddw, lddw, prefetch);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const void *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct prefetch *prefetch)
{
    const enum target target = prefetch->left > 0           ? NEXT_BLOCK
                               : flags & GRAD_PREFETCH_X_L1 ? AHEAD_L1
                               : flags & GRAD_PREFETCH_X    ? AHEAD_L2
                                                            : NEXT_ROWS;
    if (n == 1)
        one_sample(ELEMENT_F32, d, c, x[0], dscores, flags, dw, lddw);
    else
        all_tiles(tiles_f32[target], TILE_CLASSES, n, d, c, x, dscores, ldds, flags, dw, lddw,
                  prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    const enum target target = prefetch->left > 0        ? NEXT_BLOCK
                               : flags & GRAD_PREFETCH_X ? AHEAD_L2
                                                         : NEXT_ROWS;
    if (n == 1)
        one_sample(ELEMENT_BF16, d, c, x[0], dscores, flags, dw, lddw);
    else
        all_tiles(tiles_bf16[target], PANEL_CLASSES, n, d, c, x, dscores, ldds, flags, dw, lddw,
                  prefetch);
}
