/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AVX2. VPMADDUBSW multiplies two samples by their dscores, and VPADDW sums the products in 16
 * bits. At the end of a run the sums are widened and added to 32-bit sums (grad_u8_pairs.h).
 *
 * The tile of the first 5 classes interleaves the rows for the others, as in grad_u8_avx512.c. Per two samples a tile
 * of 5 classes × 32 features loads 2 vectors of X and broadcasts 5 pairs, for 10 instructions of 32 products and as
 * many additions. It takes 14 of the 16 registers.
 *
 * Tail: the last 32 features are summed once more, and only the sums of the tail are used. Rows of fewer features are
 * copied and padded with zeros. */
#define DOWNHILL_LEVEL_NAME avx2
#include "grad/grad_u8.h"
#include "grad/grad_u8_pairs.h"
#include "simd/avx2_u8.h"

enum { TILE_CLASSES = 5, VECTORS = 2 };

/* Stores eight sums, or adds them to dw. */
DOWNHILL_INLINE void add_8(__m128i sums_i16x8, unsigned accumulate, int32_t *dw)
{
    const __m256i before = accumulate ? load_i(dw) : _mm256_setzero_si256();
    store_i(dw, _mm256_add_epi32(before, _mm256_cvtepi16_epi32(sums_i16x8)));
}

/* Stores the sums of 32 features in their order, or adds them to dw. In each 128-bit part p, `low` holds features
 * 16p … 16p+7 and `high` 16p+8 … 16p+15. */
DOWNHILL_INLINE void add_in_order(__m256i low, __m256i high, unsigned accumulate, int32_t *dw)
{
    add_8(_mm256_castsi256_si128(low), accumulate, dw);
    add_8(_mm256_castsi256_si128(high), accumulate, dw + F32X8);
    add_8(_mm256_extracti128_si256(low, 1), accumulate, dw + 2 * F32X8);
    add_8(_mm256_extracti128_si256(high, 1), accumulate, dw + 3 * F32X8);
}

DOWNHILL_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i g)
{
    return in_register_i(_mm256_add_epi16(sum, _mm256_maddubs_epi16(x, g)));
}

/* Interleaved bytes of two rows. In each 128-bit part p, `low` holds features 16p … 16p+7 and `high` 16p+8 … 16p+15. */
struct x_pairs {
    __m256i low, high;
};

DOWNHILL_INLINE struct x_pairs interleaved_pairs(size_t k, const void *const *x)
{
    const __m256i x_0 = load_i((const uint8_t *)x[0] + k);
    const __m256i x_1 = load_i((const uint8_t *)x[1] + k);
    return (struct x_pairs){_mm256_unpacklo_epi8(x_0, x_1), _mm256_unpackhi_epi8(x_0, x_1)};
}

/* Computes dw = dscoresᵀ X, or adds it to dw, for 32 features from feature k on and the classes from class j0 on.
 * Unless `which` is OTHERS, it also fills the column of interleaved rows. */
DOWNHILL_INLINE void tile(const int which, const int classes, size_t k, size_t j0,
                          const void *const *x, const struct pairs_of_block *pairs,
                          struct x_pairs *column, unsigned flags, int32_t *dw, size_t lddw)
{
    size_t p = 0;
    for (size_t r = 0; r < pairs->n_runs; r++) {
        __m256i sum_i16x16[TILE_CLASSES * VECTORS];
        DOWNHILL_UNROLL
        for (int s = 0; s < classes * VECTORS; s++)
            sum_i16x16[s] = _mm256_setzero_si256();
        for (; p < pairs->run_end[r]; p++) {
            if (which != OTHERS) {
                if (which == FIRST_FAR)
                    prefetch_rows(PAIR, x + PAIR * p, k);
                column[p] = interleaved_pairs(k, x + PAIR * p);
            }
            const __m256i low = in_register_i(column[p].low);
            const __m256i high = in_register_i(column[p].high);
            const uint32_t *g = (const uint32_t *)pairs->pair[p] + j0;
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                const __m256i g_j = in_register_i(_mm256_set1_epi32((int)g[j]));
                __m256i *sum = &sum_i16x16[j * VECTORS];
                sum[0] = add_products(sum[0], low, g_j);
                sum[1] = add_products(sum[1], high, g_j);
            }
        }
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            add_in_order(sum_i16x16[j * VECTORS], sum_i16x16[j * VECTORS + 1],
                         (flags & GRAD_ACCUMULATE) || r > 0, dw + (size_t)j * lddw);
    }
}

DOWNHILL_INLINE void some_classes(const int which, size_t classes, size_t k, size_t j0,
                                  const void *const *x, const struct pairs_of_block *pairs,
                                  struct x_pairs *column, unsigned flags, int32_t *dw, size_t lddw)
{
    switch (classes) {
    case 5:
        tile(which, 5, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 4:
        tile(which, 4, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 3:
        tile(which, 3, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 2:
        tile(which, 2, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    default:
        tile(which, 1, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    }
}

/* Computes the gradient of 32 features from feature k on for all classes. dw points to feature k. */
DOWNHILL_TARGET
static void features_32(size_t k, size_t c, const void *const *x,
                        const struct pairs_of_block *pairs, unsigned flags, int32_t *dw,
                        size_t lddw)
{
    struct x_pairs column[PAIRS_MAX];
    const size_t classes = next_tile(c, TILE_CLASSES);
    if (flags & GRAD_PREFETCH_X)
        some_classes(FIRST_FAR, classes, k, 0, x, pairs, column, flags, dw, lddw);
    else
        some_classes(FIRST, classes, k, 0, x, pairs, column, flags, dw, lddw);
    if (c > classes)
        some_classes(OTHERS, c - classes, k, classes, x, pairs, column, flags, dw + classes * lddw,
                     lddw);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_u8)(size_t n, size_t d, size_t c, const void *const *x,
                            const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                            size_t lddw, int32_t *db)
{
    if (n == 1) {
        one_sample(d, c, x[0], dscores, flags, dw, lddw, db);
        return;
    }
    struct pairs_of_block pairs;
    const int outliers = make_pairs(n, c, dscores, ldds, &pairs, db);
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32)
        features_32(k, c, x, &pairs, flags, dw + k, lddw);
    if (k < d) {
        int32_t sums[PANEL_CLASSES][U8X32];
        struct short_rows rows;
        const size_t first = d < U8X32 ? 0 : d - U8X32;
        if (d < U8X32)
            copy_short_rows(n, d, x, &rows);
        features_32(first, c, d < U8X32 ? rows.x : x, &pairs, 0, sums[0], U8X32);
        add_last_sums(sums, k - first, d - k, c, flags & GRAD_ACCUMULATE, dw + k, lddw);
    }
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, ldds, dw, lddw, db);
}
