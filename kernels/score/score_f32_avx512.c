/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F. A register tile holds the dot products of 4 samples × 5 or 6 classes, with the features along
 * the lanes.
 *
 * Per 16 features a tile of 4 × 5 loads 4 vectors of X and 5 of W for 20 FMAs. With two 512-bit FMAs and two loads per
 * cycle (Skylake-SP and later with two FMA units, Zen 5) that is 10 cycles of FMAs against 4.5 cycles of loads. 20
 * independent sums more than cover the latency of 4 cycles × 2 units. The kernel is bound by the FMA units as long as
 * the rows of W stay in L1, which is why the driver passes the features in chunks. Zen 4 halves both rates. A tile of
 * 4 × 6 takes 29 of 32 registers: 24 sums, 4 for X and 1 for W. Ten classes are two tiles of 5.
 *
 * At the end of a tile 20 or 24 accumulators are reduced to one number each. Transposed, sixteen and four at a time,
 * this takes 3.5 instructions per accumulator instead of 8.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { TILE_ROWS = 4, TILE_CLASSES = 6, SUMS_OF_ONE = 8 };

/* Maximum number of weights that stay in L1: 48 KiB. */
enum { L1_FLOATS = 12 * 1024 };

DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const float *w, size_t ldw, float *scores,
                          size_t lds)
{
    const void *x_row[TILE_ROWS];
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m512 sum_f32x16[TILE_CLASSES][TILE_ROWS]; /* zero past the classes and rows */
    DOWNHILL_UNROLL
    for (int j = 0; j < TILE_CLASSES; j++)
        for (int r = 0; r < TILE_ROWS; r++)
            sum_f32x16[j][r] = _mm512_setzero_ps();

    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16) {
        __m512 x_f32x16[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_f32x16[r] = in_register_x16(features_x16(element, x_row[r], k));
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 = in_register_x16(_mm512_loadu_ps(w + (size_t)j * ldw + k));
            for (int r = 0; r < rows; r++)
                sum_f32x16[j][r] = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, sum_f32x16[j][r]);
        }
    }
    if (k < d) {
        const __mmask16 tail = first_lanes_x16(d - k);
        __m512 x_f32x16[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_f32x16[r] = some_features_x16(element, tail, x_row[r], k);
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 = _mm512_maskz_loadu_ps(tail, w + (size_t)j * ldw + k);
            for (int r = 0; r < rows; r++)
                sum_f32x16[j][r] = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, sum_f32x16[j][r]);
        }
    }

    /* Reduces classes 0 … 3 of all rows at once, one row per 128-bit part; then classes 4 and 5, one row per lane. */
    __m512 part[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < TILE_ROWS; r++)
        part[r] = sum_parts(sum_f32x16[0][r], sum_f32x16[1][r], sum_f32x16[2][r], sum_f32x16[3][r]);
    float four[TILE_ROWS][4], fifth[TILE_ROWS], sixth[TILE_ROWS];
    _mm512_storeu_ps(four, sum_16(part));
    if (classes > 4)
        _mm_storeu_ps(fifth, sum_4(sum_parts(sum_f32x16[4][0], sum_f32x16[4][1], sum_f32x16[4][2],
                                             sum_f32x16[4][3])));
    if (classes > 5)
        _mm_storeu_ps(sixth, sum_4(sum_parts(sum_f32x16[5][0], sum_f32x16[5][1], sum_f32x16[5][2],
                                             sum_f32x16[5][3])));
    const __mmask8 lanes = (__mmask8)(classes < 4 ? (1 << classes) - 1 : 0xF);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        float *scores_r = scores + (size_t)r * lds;
        const __m128 before = _mm_maskz_loadu_ps(lanes, scores_r);
        _mm_mask_storeu_ps(scores_r, lanes, _mm_add_ps(before, _mm_loadu_ps(four[r])));
        if (classes > 4)
            scores_r[4] += fifth[r];
        if (classes > 5)
            scores_r[5] += sixth[r];
    }
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int classes, size_t n,
                                     size_t d, const void *const *x, const float *w, size_t ldw,
                                     float *scores, size_t lds)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        tile(element, TILE_ROWS, classes, d, x + i, w, ldw, scores + i * lds, lds);
    for (; i < n; i++)
        tile(element, 1, classes, d, x + i, w, ldw, scores + i * lds, lds);
}

/* Returns the dot product of one sample and one class. A single sample reads W once. One class at a time, W is a single
 * stream, which from L2 is 1.3 times as fast as five streams (Zen 5: 200 of 244 GB/s). If W is in L1, the horizontal
 * sum at the end of each class costs more than that gains. */
DOWNHILL_INLINE float dot(const enum element element, size_t d, const void *x, const float *w)
{
    __m512 sum_f32x16[SUMS_OF_ONE];
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_OF_ONE; s++)
        sum_f32x16[s] = _mm512_setzero_ps();
    size_t k = 0;
    for (; k + SUMS_OF_ONE * F32X16 <= d; k += SUMS_OF_ONE * F32X16) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_OF_ONE; s++) {
            const size_t at = k + F32X16 * (size_t)s;
            sum_f32x16[s] = _mm512_fmadd_ps(features_x16(element, x, at), _mm512_loadu_ps(w + at),
                                            sum_f32x16[s]);
        }
    }
    for (; k < d; k += F32X16) {
        const __mmask16 lanes = first_lanes_x16(d - k);
        sum_f32x16[0] = _mm512_fmadd_ps(some_features_x16(element, lanes, x, k),
                                        _mm512_maskz_loadu_ps(lanes, w + k), sum_f32x16[0]);
    }
    DOWNHILL_UNROLL
    for (int s = SUMS_OF_ONE / 2; s > 0; s /= 2)
        for (int t = 0; t < s; t++)
            sum_f32x16[t] = _mm512_add_ps(sum_f32x16[t], sum_f32x16[t + s]);
    return _mm512_reduce_add_ps(sum_f32x16[0]);
}

DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, const float *w, size_t ldw, float *scores,
                             size_t lds)
{
    if (n == 1 && d * c > L1_FLOATS) {
        for (size_t j = 0; j < c; j++)
            scores[j] += dot(element, d, x[0], w + j * ldw);
        return;
    }
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *wj = w + j * ldw;
        float *scores_j = scores + j;
        switch (classes) {
        case 6:
            column_of_tiles(element, 6, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 5:
            column_of_tiles(element, 5, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 4:
            column_of_tiles(element, 4, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 3:
            column_of_tiles(element, 3, n, d, x, wj, ldw, scores_j, lds);
            break;
        case 2:
            column_of_tiles(element, 2, n, d, x, wj, ldw, scores_j, lds);
            break;
        default:
            column_of_tiles(element, 1, n, d, x, wj, ldw, scores_j, lds);
            break;
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, float *scores, size_t lds, struct prefetch *prefetch)
{
    (void)prefetch; /* rows from memory use the packed kernel (PACKS_FAR) if n >= n_min */
    columns(ELEMENT_F32, n, d, c, x, w, ldw, scores, lds);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, float *scores, size_t lds, struct prefetch *prefetch)
{
    (void)prefetch; /* rows from memory use the packed kernel (PACKS_FAR) if n >= n_min */
    columns(ELEMENT_BF16, n, d, c, x, w, ldw, scores, lds);
}
