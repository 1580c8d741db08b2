/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX-512. This source is also compiled for AVX512-VNNI, whose VPDPWSSD does the work of VPMADDWD
 * and VPADDD.
 *
 * A weight has 16 bits, so a byte is widened to 16 bits too, and an instruction makes 32 products, twice those of an
 * f32 FMA. Per 32 features a tile of 4 samples × 5 classes loads 4 vectors of X and 5 of W for 20 such instructions.
 * Splitting the weights into two bytes for VPDPBUSD, which makes 64 products, would take as many instructions and twice
 * the registers.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#ifndef DOWNHILL_LEVEL_NAME /* this source is compiled for two ISA levels */
#define DOWNHILL_LEVEL_NAME avx512
#endif
#include "simd/avx512_u8.h"

enum { TILE_ROWS = 4 };

DOWNHILL_INLINE void pack_32(__m512 w_0, __m512 w_1, __m512 factor_f32x16, int16_t *q)
{
    /* VPACKSSDW works within each 128-bit part. This puts the halves of the parts in order. */
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i q_0 = _mm512_cvtps_epi32(_mm512_mul_ps(w_0, factor_f32x16));
    const __m512i q_1 = _mm512_cvtps_epi32(_mm512_mul_ps(w_1, factor_f32x16));
    _mm512_storeu_si512(q, _mm512_permutexvar_epi64(order, _mm512_packs_epi32(q_0, q_1)));
}

/* Packs one class of a panel. Per 32 features, those of the first class, then those of the second class, and so on;
 * zeros after the last feature. */
DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, const float *w, float factor, void *panel)
{
    const __m512 factor_f32x16 = _mm512_set1_ps(factor);
    int16_t *q = (int16_t *)panel + j * U8X32;
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += c * U8X32)
        pack_32(_mm512_loadu_ps(w + k), _mm512_loadu_ps(w + k + F32X16), factor_f32x16, q);
    if (k < d) {
        const size_t left = d - k, upper = left > F32X16 ? left - F32X16 : 0;
        pack_32(_mm512_maskz_loadu_ps(first_lanes_x16(left), w + k),
                _mm512_maskz_loadu_ps(first_lanes_x16(upper), w + k + F32X16), factor_f32x16, q);
    }
}

/* Adds the sums of a tile to its scores. Each product and sum is exact. */
DOWNHILL_INLINE void add_to_f64_scores(const int rows, const int classes,
                                       const __m512i sum_i32x16[TILE_ROWS * U8_PANEL_CLASSES],
                                       const double *quantum, double *scores, size_t lds)
{
    const int quad = classes < 4 ? classes : 4;
    const __mmask8 lanes = (__mmask8)((1 << quad) - 1);
    const __m256d quantum_f64x4 = _mm256_maskz_loadu_pd(lanes, quantum);
    const __m512i zero = _mm512_setzero_si512();
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512i *s = sum_i32x16 + r * U8_PANEL_CLASSES;
        double *scores_r = scores + (size_t)r * lds;
        const __m256d sums = sum_lanes_f64(s[0], classes > 1 ? s[1] : zero,
                                           classes > 2 ? s[2] : zero, classes > 3 ? s[3] : zero);
        const __m256d before = _mm256_maskz_loadu_pd(lanes, scores_r);
        _mm256_mask_storeu_pd(scores_r, lanes, _mm256_fmadd_pd(quantum_f64x4, sums, before));
    }
    if (classes == U8_PANEL_CLASSES) {
        const __m512i *s = sum_i32x16 + U8_PANEL_CLASSES - 1;
        double sums[TILE_ROWS];
        _mm256_storeu_pd(sums, sum_lanes_f64(s[0], rows > 1 ? s[U8_PANEL_CLASSES] : zero,
                                             rows > 2 ? s[2 * U8_PANEL_CLASSES] : zero,
                                             rows > 3 ? s[3 * U8_PANEL_CLASSES] : zero));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            scores[(size_t)r * lds + U8_PANEL_CLASSES - 1] +=
                quantum[U8_PANEL_CLASSES - 1] * sums[r];
    }
}

DOWNHILL_INLINE void tile(const int rows, const int classes, size_t d, const void *const *x,
                          const int16_t *q, const double *quantum, double *scores, size_t lds,
                          struct prefetch *prefetch)
{
    const uint8_t *x_row[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m512i sum_i32x16[TILE_ROWS * U8_PANEL_CLASSES];
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * U8_PANEL_CLASSES; s++)
        sum_i32x16[s] = _mm512_setzero_si512();

    size_t steps = d / U8X32;
    struct prefetch_run run = rows > 1 ? prefetch_take(prefetch, &steps) : prefetch_none(q);
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += U8X32 * (size_t)classes) {
        if (rows > 1)
            prefetch_step(&run);
        __m512i x_i16x32[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            x_i16x32[r] = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(x_row[r] + k)));
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512i q_i16x32 = in_register_i(_mm512_loadu_si512(q + U8X32 * j));
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++) {
                __m512i *sum = &sum_i32x16[r * U8_PANEL_CLASSES + j];
                *sum = add_pairs(*sum, x_i16x32[r], q_i16x32);
            }
        }
    }
    if (k < d) {
        const __mmask32 tail = first_bytes_x32(d - k);
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            const __m512i x_i16x32 =
                _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(tail, x_row[r] + k));
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                __m512i *sum = &sum_i32x16[r * U8_PANEL_CLASSES + j];
                *sum = add_pairs(*sum, x_i16x32, _mm512_loadu_si512(q + U8X32 * j));
            }
        }
    }
    add_to_f64_scores(rows, classes, sum_i32x16, quantum, scores, lds);
}

DOWNHILL_INLINE void column_of_tiles(const int classes, size_t n, size_t d, const void *const *x,
                                     const int16_t *q, const double *quantum, double *scores,
                                     size_t lds, struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        tile(TILE_ROWS, classes, d, x + i, q, quantum, scores + i * lds, lds, prefetch);
    for (; i < n; i++)
        tile(1, classes, d, x + i, q, quantum, scores + i * lds, lds, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_u8)(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                             const double *quantum, double *scores, size_t lds,
                             struct prefetch *prefetch)
{
    switch (c) {
    case 5:
        column_of_tiles(5, n, d, x, packed, quantum, scores, lds, prefetch);
        break;
    case 4:
        column_of_tiles(4, n, d, x, packed, quantum, scores, lds, prefetch);
        break;
    case 3:
        column_of_tiles(3, n, d, x, packed, quantum, scores, lds, prefetch);
        break;
    case 2:
        column_of_tiles(2, n, d, x, packed, quantum, scores, lds, prefetch);
        break;
    default:
        column_of_tiles(1, n, d, x, packed, quantum, scores, lds, prefetch);
        break;
    }
}
