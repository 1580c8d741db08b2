/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AVX-512. VPMADDUBSW multiplies two samples by their dscores, and VPADDW sums the products in
 * 16 bits. At the end of a run the sums are widened and added to 32-bit sums (grad_u8_pairs.h).
 *
 * Per two samples a tile of 5 classes × 64 features loads 2 vectors of X and broadcasts 5 pairs, for 10 instructions of
 * 64 products and as many additions.
 *
 * Trap: rows a multiple of 1 KiB apart fall on a few sets and do not stay in L1. The tile of the first 5 classes
 * therefore interleaves the rows byte by byte and leaves a copy for the others. The copy stays in L1.
 *
 * Tail: masked loads and stores. */
#define DOWNHILL_LEVEL_NAME avx512
#include "grad/grad_u8.h"
#include "grad/grad_u8_pairs.h"
#include "simd/avx512_u8.h"

enum { TILE_CLASSES = 5, VECTORS = 2 };

/* Stores the sums of 64 features in their order, or adds them to dw. In each 128-bit part p, `low` holds features
 * 16p … 16p+7 and `high` 16p+8 … 16p+15. Only the first `left` features exist. */
DOWNHILL_INLINE void add_in_order(__m512i low, __m512i high, size_t left, unsigned accumulate,
                                  int32_t *dw)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512i sum_0 = _mm512_permutex2var_epi64(low, first, high);
    const __m512i sum_1 = _mm512_permutex2var_epi64(low, second, high);
    const __m512i sums[] = {_mm512_cvtepi16_epi32(_mm512_castsi512_si256(sum_0)),
                            _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(sum_0, 1)),
                            _mm512_cvtepi16_epi32(_mm512_castsi512_si256(sum_1)),
                            _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(sum_1, 1))};
    DOWNHILL_UNROLL
    for (size_t v = 0; v < sizeof sums / sizeof sums[0]; v++) {
        const size_t at = F32X16 * v;
        const __mmask16 lanes = first_lanes_x16(left > at ? left - at : 0);
        const __m512i before =
            accumulate ? _mm512_maskz_loadu_epi32(lanes, dw + at) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(dw + at, lanes, _mm512_add_epi32(before, sums[v]));
    }
}

DOWNHILL_INLINE __m512i add_products(__m512i sum, __m512i x, __m512i g)
{
    return in_register_i(_mm512_add_epi16(sum, _mm512_maddubs_epi16(x, g)));
}

/* Interleaved bytes of two rows. In each 128-bit part p, `low` holds features 16p … 16p+7 and `high` 16p+8 … 16p+15. */
struct x_pairs {
    __m512i low, high;
};

DOWNHILL_INLINE struct x_pairs interleaved_pairs(__mmask64 bytes, size_t k, const void *const *x)
{
    const __m512i x_0 = _mm512_maskz_loadu_epi8(bytes, (const uint8_t *)x[0] + k);
    const __m512i x_1 = _mm512_maskz_loadu_epi8(bytes, (const uint8_t *)x[1] + k);
    return (struct x_pairs){_mm512_unpacklo_epi8(x_0, x_1), _mm512_unpackhi_epi8(x_0, x_1)};
}

/* Computes dw = dscoresᵀ X, or adds it to dw, for 64 features from feature k on and the classes from class j0 on.
 * Unless `which` is OTHERS, it also fills the column of interleaved rows. */
DOWNHILL_INLINE void tile(const int which, const int classes, size_t d, size_t k, size_t j0,
                          const void *const *x, const struct pairs_of_block *pairs,
                          struct x_pairs *column, unsigned flags, int32_t *dw, size_t lddw)
{
    const __mmask64 bytes = first_bytes_x64(d - k);
    size_t p = 0;
    for (size_t r = 0; r < pairs->n_runs; r++) {
        __m512i sum_i16x32[TILE_CLASSES * VECTORS];
        DOWNHILL_UNROLL
        for (int s = 0; s < classes * VECTORS; s++)
            sum_i16x32[s] = _mm512_setzero_si512();
        for (; p < pairs->run_end[r]; p++) {
            if (which != OTHERS) {
                if (which == FIRST_FAR)
                    prefetch_rows(PAIR, x + PAIR * p, k);
                column[p] = interleaved_pairs(bytes, k, x + PAIR * p);
            }
            const __m512i low = in_register_i(column[p].low);
            const __m512i high = in_register_i(column[p].high);
            const uint32_t *g = (const uint32_t *)pairs->pair[p] + j0;
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                const __m512i g_j = in_register_i(_mm512_set1_epi32((int)g[j]));
                __m512i *sum = &sum_i16x32[j * VECTORS];
                sum[0] = add_products(sum[0], low, g_j);
                sum[1] = add_products(sum[1], high, g_j);
            }
        }
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            add_in_order(sum_i16x32[j * VECTORS], sum_i16x32[j * VECTORS + 1], d - k,
                         (flags & GRAD_ACCUMULATE) || r > 0, dw + (size_t)j * lddw + k);
    }
}

DOWNHILL_INLINE void some_classes(const int which, size_t classes, size_t d, size_t k, size_t j0,
                                  const void *const *x, const struct pairs_of_block *pairs,
                                  struct x_pairs *column, unsigned flags, int32_t *dw, size_t lddw)
{
    switch (classes) {
    case 5:
        tile(which, 5, d, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 4:
        tile(which, 4, d, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 3:
        tile(which, 3, d, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    case 2:
        tile(which, 2, d, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    default:
        tile(which, 1, d, k, j0, x, pairs, column, flags, dw, lddw);
        break;
    }
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
    struct x_pairs column[PAIRS_MAX];
    const int outliers = make_pairs(n, c, dscores, ldds, &pairs, db);
    const size_t classes = next_tile(c, TILE_CLASSES);
    for (size_t k = 0; k < d; k += U8X64) {
        if (flags & GRAD_PREFETCH_X)
            some_classes(FIRST_FAR, classes, d, k, 0, x, &pairs, column, flags, dw, lddw);
        else
            some_classes(FIRST, classes, d, k, 0, x, &pairs, column, flags, dw, lddw);
        if (c > classes)
            some_classes(OTHERS, c - classes, d, k, classes, x, &pairs, column, flags,
                         dw + classes * lddw, lddw);
    }
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, ldds, dw, lddw, db);
}
