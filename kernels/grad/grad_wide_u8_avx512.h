/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes from dscores of 16 bits, for the sources that define add_products(sum, x, g), which adds the products
 * of pairs of 16-bit integers to 32-bit sums.
 *
 * A tile takes all classes × 32 features. Per two samples and 10 classes it widens and interleaves 32 bytes of each row
 * with 4 shuffles, and broadcasts 10 pairs, for 20 calls of add_products(). No copy of X is needed.
 *
 * Tail: masked loads and stores. */
#ifndef DOWNHILL_GRAD_WIDE_U8_AVX512_H
#define DOWNHILL_GRAD_WIDE_U8_AVX512_H

#include "grad/grad_u8.h"
#include "grad/grad_wide_u8.h"
#include "simd/avx512_u8.h"

enum { VECTORS = 2, FEATURES = 32 };

/* Stores the sums of 32 features in their order, or adds them to dw. In each 128-bit part p, `low` holds features
 * 8p … 8p+3 and `high` 8p+4 … 8p+7. Only the first `left` features exist. */
DOWNHILL_INLINE void put_in_order(__m512i low, __m512i high, size_t left, unsigned accumulate,
                                  int32_t *dw)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512i sums[VECTORS] = {_mm512_permutex2var_epi64(low, first, high),
                                   _mm512_permutex2var_epi64(low, second, high)};
    DOWNHILL_UNROLL
    for (size_t v = 0; v < VECTORS; v++) {
        const size_t at = F32X16 * v;
        const __mmask16 lanes = first_lanes_x16(left > at ? left - at : 0);
        const __m512i before =
            accumulate ? _mm512_maskz_loadu_epi32(lanes, dw + at) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(dw + at, lanes, _mm512_add_epi32(before, sums[v]));
    }
}

/* Computes dw = dscoresᵀ X, or adds it to dw, for 32 features from feature k on. */
DOWNHILL_INLINE void tile(const int classes, size_t n, size_t d, size_t k, const void *const *x,
                          const int32_t *g, unsigned flags, int32_t *dw, size_t lddw)
{
    const __mmask32 bytes = first_bytes_x32(d - k);
    __m512i sum_i32x16[PANEL_CLASSES * VECTORS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * VECTORS; s++)
        sum_i32x16[s] = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += PAIR, g += PAIR_CLASSES) {
        if (flags & GRAD_PREFETCH_X)
            prefetch_rows(PAIR, x + i, k);
        const __m512i x_0 =
            _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(bytes, (const uint8_t *)x[i] + k));
        const __m512i x_1 =
            _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(bytes, (const uint8_t *)x[i + 1] + k));
        const __m512i low = in_register_i(_mm512_unpacklo_epi16(x_0, x_1));
        const __m512i high = in_register_i(_mm512_unpackhi_epi16(x_0, x_1));
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512i g_j = in_register_i(_mm512_set1_epi32(g[j]));
            __m512i *sum = &sum_i32x16[j * VECTORS];
            sum[0] = in_register_i(add_products(sum[0], low, g_j));
            sum[1] = in_register_i(add_products(sum[1], high, g_j));
        }
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        put_in_order(sum_i32x16[j * VECTORS], sum_i32x16[j * VECTORS + 1], d - k,
                     flags & GRAD_ACCUMULATE, dw + (size_t)j * lddw + k);
}

DOWNHILL_INLINE void all_features(const int classes, size_t n, size_t d, const void *const *x,
                                  const int32_t *g, unsigned flags, int32_t *dw, size_t lddw)
{
    for (size_t k = 0; k < d; k += FEATURES)
        tile(classes, n, d, k, x, g, flags, dw, lddw);
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
    pairs_of_block pairs;
    make_pairs(n, c, dscores, ldds, pairs, db);
    const int32_t *g = pairs[0];
    switch (c) {
    case 10:
        all_features(10, n, d, x, g, flags, dw, lddw);
        break;
    case 9:
        all_features(9, n, d, x, g, flags, dw, lddw);
        break;
    case 8:
        all_features(8, n, d, x, g, flags, dw, lddw);
        break;
    case 7:
        all_features(7, n, d, x, g, flags, dw, lddw);
        break;
    case 6:
        all_features(6, n, d, x, g, flags, dw, lddw);
        break;
    case 5:
        all_features(5, n, d, x, g, flags, dw, lddw);
        break;
    case 4:
        all_features(4, n, d, x, g, flags, dw, lddw);
        break;
    case 3:
        all_features(3, n, d, x, g, flags, dw, lddw);
        break;
    case 2:
        all_features(2, n, d, x, g, flags, dw, lddw);
        break;
    default:
        all_features(1, n, d, x, g, flags, dw, lddw);
        break;
    }
}

#endif
