/* SPDX-License-Identifier: MIT
 *
 * Code shared by the gradients of bytes with AVX512-VNNI and AMX, whose instructions multiply the bytes of four samples
 * by four dscores: packs both in quads of samples, and puts the sums in order. */
#ifndef DOWNHILL_GRAD_U8_QUADS_H
#define DOWNHILL_GRAD_U8_QUADS_H

#include "simd/avx512_u8.h"

/* Samples per quad; vectors that 64 features of a quad take. */
enum { QUAD = 4, X_QUADS = 4 };

/* Interleaved bytes of four rows. In each 128-bit part p the vectors hold features 16p … 16p+3, 16p+4 … 16p+7,
 * 16p+8 … 16p+11 and 16p+12 … 16p+15. */
struct x_quads {
    __m512i of_x[X_QUADS];
};

DOWNHILL_INLINE struct x_quads interleaved_quads(__mmask64 bytes, size_t k, const void *const *x)
{
    __m512i row[QUAD];
    DOWNHILL_UNROLL
    for (int r = 0; r < QUAD; r++)
        row[r] = _mm512_maskz_loadu_epi8(bytes, (const uint8_t *)x[r] + k);
    const __m512i low_01 = _mm512_unpacklo_epi8(row[0], row[1]);
    const __m512i high_01 = _mm512_unpackhi_epi8(row[0], row[1]);
    const __m512i low_23 = _mm512_unpacklo_epi8(row[2], row[3]);
    const __m512i high_23 = _mm512_unpackhi_epi8(row[2], row[3]);
    return (struct x_quads){
        {_mm512_unpacklo_epi16(low_01, low_23), _mm512_unpackhi_epi16(low_01, low_23),
         _mm512_unpacklo_epi16(high_01, high_23), _mm512_unpackhi_epi16(high_01, high_23)}};
}

/* Stores the sums of 64 features in their order, or adds them to dw. Only the first `left` features exist. */
DOWNHILL_INLINE void put_quads_in_order(const __m512i sum[X_QUADS], size_t left,
                                        unsigned accumulate, int32_t *dw)
{
    const __m512i s01_low = _mm512_shuffle_i32x4(sum[0], sum[1], _MM_SHUFFLE(1, 0, 1, 0));
    const __m512i s01_high = _mm512_shuffle_i32x4(sum[0], sum[1], _MM_SHUFFLE(3, 2, 3, 2));
    const __m512i s23_low = _mm512_shuffle_i32x4(sum[2], sum[3], _MM_SHUFFLE(1, 0, 1, 0));
    const __m512i s23_high = _mm512_shuffle_i32x4(sum[2], sum[3], _MM_SHUFFLE(3, 2, 3, 2));
    const __m512i in_order[X_QUADS] = {
        _mm512_shuffle_i32x4(s01_low, s23_low, _MM_SHUFFLE(2, 0, 2, 0)),
        _mm512_shuffle_i32x4(s01_low, s23_low, _MM_SHUFFLE(3, 1, 3, 1)),
        _mm512_shuffle_i32x4(s01_high, s23_high, _MM_SHUFFLE(2, 0, 2, 0)),
        _mm512_shuffle_i32x4(s01_high, s23_high, _MM_SHUFFLE(3, 1, 3, 1)),
    };
    DOWNHILL_UNROLL
    for (size_t v = 0; v < X_QUADS; v++) {
        int32_t *to = dw + F32X16 * v;
        if (left >= U8X64) {
            const __m512i before = accumulate ? _mm512_loadu_si512(to) : _mm512_setzero_si512();
            _mm512_storeu_si512(to, _mm512_add_epi32(before, in_order[v]));
            continue;
        }
        const __mmask16 lanes = first_lanes_x16(left > F32X16 * v ? left - F32X16 * v : 0);
        const __m512i before =
            accumulate ? _mm512_maskz_loadu_epi32(lanes, to) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(to, lanes, _mm512_add_epi32(before, in_order[v]));
    }
}

/* Maximum magnitude of a dscore that fits a signed byte; maximum number of quads in a block. */
enum { G_MAX = 127, QUADS_MAX = BLOCK_ROWS_MAX / QUAD };

/* Dscores of four samples as bytes, the first sample in the lowest byte, for each class. */
typedef __m512i quads_of_block[QUADS_MAX];

/* Packs the dscores of a block and adds them to db unless it is NULL. Replaces outliers by 0 and returns whether there
 * are any. */
DOWNHILL_INLINE int make_quads(size_t n, size_t c, const int16_t *dscores, size_t ldds,
                               quads_of_block quads, int32_t *db)
{
    const __mmask16 classes = first_lanes_x16(c);
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    __mmask16 outliers = 0;
    for (size_t i = 0; i < n; i += QUAD) {
        __m512i quad = _mm512_setzero_si512();
        DOWNHILL_UNROLL
        for (size_t r = 0; r < QUAD; r++) {
            const __m512i g = _mm512_cvtepi16_epi32(
                _mm256_maskz_loadu_epi16(i + r < n ? classes : 0, dscores + (i + r) * ldds));
            const __mmask16 good =
                _mm512_cmple_epu32_mask(_mm512_abs_epi32(g), _mm512_set1_epi32(G_MAX));
            const __m512i byte = _mm512_maskz_and_epi32(good, g, _mm512_set1_epi32(UINT8_MAX));
            quad = _mm512_or_si512(quad, _mm512_slli_epi32(byte, (unsigned)(8 * r)));
            outliers |= (__mmask16)~good;
        }
        sum = _mm512_dpbusd_epi32(sum, ones, quad);
        _mm512_store_si512(&quads[i / QUAD], quad);
    }
    if (db != NULL)
        _mm512_mask_storeu_epi32(db, classes,
                                 _mm512_add_epi32(_mm512_maskz_loadu_epi32(classes, db), sum));
    return outliers != 0;
}

#endif
