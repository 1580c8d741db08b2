/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits, for the sources that define add_products(sum, x, g), which adds the products
 * of pairs of 16-bit integers to 32-bit sums.
 *
 * The tile of the first 5 classes interleaves and widens two rows at a time and leaves a copy for the others, as in
 * grad_u8_avx2.c. Per two samples a tile of 5 classes × 16 features loads 2 vectors of X and broadcasts 5 pairs, for 10
 * calls of add_products(). It takes 14 of the 16 registers.
 *
 * Tail: the last 16 features are summed once more, and only the sums of the tail are used. Rows of fewer features are
 * copied and padded with zeros. */
#ifndef DOWNHILL_GRAD_WIDE_U8_AVX2_H
#define DOWNHILL_GRAD_WIDE_U8_AVX2_H

#include "grad/grad_u8.h"
#include "grad/grad_wide_u8.h"
#include "simd/avx2_u8.h"

enum { TILE_CLASSES = 5, VECTORS = 2, FEATURES = 16 };

/* Bytes of two rows, widened and interleaved. In each 128-bit part p, `low` holds features 8p … 8p+3 and `high`
 * 8p+4 … 8p+7. */
struct x_pairs {
    __m256i low, high;
};

DOWNHILL_INLINE struct x_pairs interleaved_pairs(size_t k, const void *const *x)
{
    const __m256i x_0 =
        _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)((const uint8_t *)x[0] + k)));
    const __m256i x_1 =
        _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)((const uint8_t *)x[1] + k)));
    return (struct x_pairs){_mm256_unpacklo_epi16(x_0, x_1), _mm256_unpackhi_epi16(x_0, x_1)};
}

/* Stores the sums of 16 features in their order, or adds them to dw. */
DOWNHILL_INLINE void put_in_order(__m256i low, __m256i high, unsigned accumulate, int32_t *dw)
{
    const __m256i first = _mm256_permute2x128_si256(low, high, 0x20);
    const __m256i second = _mm256_permute2x128_si256(low, high, 0x31);
    const __m256i zero = _mm256_setzero_si256();
    store_i(dw, _mm256_add_epi32(accumulate ? load_i(dw) : zero, first));
    store_i(dw + F32X8, _mm256_add_epi32(accumulate ? load_i(dw + F32X8) : zero, second));
}

/* Computes dw = dscoresᵀ X, or adds it to dw, for 16 features from feature k on. Unless `which` is OTHERS, it also fills
 * the column of interleaved rows. */
DOWNHILL_INLINE void tile(const int which, const int classes, size_t n, size_t k,
                          const void *const *x, struct x_pairs *column, const int32_t *g,
                          unsigned flags, int32_t *dw, size_t lddw)
{
    __m256i sum_i32x8[TILE_CLASSES * VECTORS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * VECTORS; s++)
        sum_i32x8[s] = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += PAIR, column++, g += PAIR_CLASSES) {
        if (which != OTHERS) {
            if (which == FIRST_FAR)
                prefetch_rows(PAIR, x + i, k);
            *column = interleaved_pairs(k, x + i);
        }
        const __m256i low = in_register_i(column->low);
        const __m256i high = in_register_i(column->high);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m256i g_j = in_register_i(_mm256_set1_epi32(g[j]));
            __m256i *sum = &sum_i32x8[j * VECTORS];
            sum[0] = in_register_i(add_products(sum[0], low, g_j));
            sum[1] = in_register_i(add_products(sum[1], high, g_j));
        }
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        put_in_order(sum_i32x8[j * VECTORS], sum_i32x8[j * VECTORS + 1], flags & GRAD_ACCUMULATE,
                     dw + (size_t)j * lddw);
}

DOWNHILL_INLINE void some_classes(const int which, size_t classes, size_t n, size_t k,
                                  const void *const *x, struct x_pairs *column, const int32_t *g,
                                  unsigned flags, int32_t *dw, size_t lddw)
{
    switch (classes) {
    case 5:
        tile(which, 5, n, k, x, column, g, flags, dw, lddw);
        break;
    case 4:
        tile(which, 4, n, k, x, column, g, flags, dw, lddw);
        break;
    case 3:
        tile(which, 3, n, k, x, column, g, flags, dw, lddw);
        break;
    case 2:
        tile(which, 2, n, k, x, column, g, flags, dw, lddw);
        break;
    default:
        tile(which, 1, n, k, x, column, g, flags, dw, lddw);
        break;
    }
}

/* Computes the gradient of 16 features from feature k on for all classes. dw points to feature k. */
DOWNHILL_TARGET
static void features_16(size_t n, size_t k, size_t c, const void *const *x, const int32_t *g,
                        unsigned flags, int32_t *dw, size_t lddw)
{
    struct x_pairs column[PAIRS_MAX];
    const size_t classes = next_tile(c, TILE_CLASSES);
    if (flags & GRAD_PREFETCH_X)
        some_classes(FIRST_FAR, classes, n, k, x, column, g, flags, dw, lddw);
    else
        some_classes(FIRST, classes, n, k, x, column, g, flags, dw, lddw);
    if (c > classes)
        some_classes(OTHERS, c - classes, n, k, x, column, g + classes, flags, dw + classes * lddw,
                     lddw);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_wide_u8)(size_t n, size_t d, size_t c, const void *const *x,
                                 const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                                 size_t lddw, int32_t *db)
{
    if (n == 1) {
        one_sample(d, c, x[0], dscores, flags, dw, lddw, db);
        return;
    }
    pairs_of_block g;
    make_pairs(n, c, dscores, ldds, g, db);
    size_t k = 0;
    for (; k + FEATURES <= d; k += FEATURES)
        features_16(n, k, c, x, g[0], flags, dw + k, lddw);
    if (k < d) {
        int32_t sums[PANEL_CLASSES][U8X32];
        struct short_rows rows;
        const size_t first = d < FEATURES ? 0 : d - FEATURES;
        if (d < FEATURES)
            copy_short_rows(n, d, x, &rows);
        features_16(n, first, c, d < FEATURES ? rows.x : x, g[0], 0, sums[0], U8X32);
        add_last_sums(sums, k - first, d - k, c, flags & GRAD_ACCUMULATE, dw + k, lddw);
    }
}

#endif
