/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX-512.
 *
 * A weight has 16 bits, so a byte is widened to 16 bits too, and an instruction makes 32 products, twice those of an
 * f32 FMA. Per 32 features a tile of 4 samples × 5 classes loads 4 vectors of X and 5 of W for 20 such instructions.
 * VPMADDUBSW would make 64 products, but saturates unless the weights are split into three parts.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx512
#include "simd/avx512_u8.h"

enum { TILE_ROWS = 4, TILE_CLASSES = 5 };

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
DOWNHILL_INLINE void pack_class(size_t d, size_t c, const float *w, float factor, int16_t *q)
{
    const __m512 factor_f32x16 = _mm512_set1_ps(factor);
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += c * U8X32)
        pack_32(_mm512_loadu_ps(w + k), _mm512_loadu_ps(w + k + F32X16), factor_f32x16, q);
    if (k < d) {
        const size_t left = d - k, upper = left > F32X16 ? left - F32X16 : 0;
        pack_32(_mm512_maskz_loadu_ps(first_lanes_x16(left), w + k),
                _mm512_maskz_loadu_ps(first_lanes_x16(upper), w + k + F32X16), factor_f32x16, q);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    for (size_t i = 0; i < classes; i++)
        pack_class(d, c, w + i * ldw, factors[i], (int16_t *)panel + (j + i) * U8X32);
}

/* Returns the horizontal sums of four vectors. The sum of two lanes must fit in 32 bits. */
DOWNHILL_INLINE __m256d sum_lanes_f64(__m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i s01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v0, v1), //
                                         _mm512_unpackhi_epi32(v0, v1));
    const __m512i s23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v2, v3), //
                                         _mm512_unpackhi_epi32(v2, v3));
    const __m512d d01 = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s01)),
                                      _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s01, 1)));
    const __m512d d23 = _mm512_add_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(s23)),
                                      _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(s23, 1)));
    const __m256d q01 = _mm256_add_pd(_mm512_castpd512_pd256(d01), _mm512_extractf64x4_pd(d01, 1));
    const __m256d q23 = _mm256_add_pd(_mm512_castpd512_pd256(d23), _mm512_extractf64x4_pd(d23, 1));
    return _mm256_add_pd(_mm256_permute2f128_pd(q01, q23, 0x20),
                         _mm256_permute2f128_pd(q01, q23, 0x31));
}

/* Adds the sums of a tile to its scores. Each product and sum is exact. */
DOWNHILL_INLINE void add_to_f64_scores(const int rows, const int classes,
                                       const __m512i sum_i32x16[TILE_ROWS * TILE_CLASSES],
                                       const double *quantum, double *scores, size_t lds)
{
    const int quad = classes < 4 ? classes : 4;
    const __mmask8 lanes = (__mmask8)((1 << quad) - 1);
    const __m256d quantum_f64x4 = _mm256_maskz_loadu_pd(lanes, quantum);
    const __m512i zero = _mm512_setzero_si512();
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512i *s = sum_i32x16 + r * TILE_CLASSES;
        double *scores_r = scores + (size_t)r * lds;
        const __m256d sums = sum_lanes_f64(s[0], classes > 1 ? s[1] : zero,
                                           classes > 2 ? s[2] : zero, classes > 3 ? s[3] : zero);
        const __m256d before = _mm256_maskz_loadu_pd(lanes, scores_r);
        _mm256_mask_storeu_pd(scores_r, lanes, _mm256_fmadd_pd(quantum_f64x4, sums, before));
    }
    if (classes == TILE_CLASSES) {
        const __m512i *s = sum_i32x16 + TILE_CLASSES - 1;
        double sums[TILE_ROWS];
        _mm256_storeu_pd(sums, sum_lanes_f64(s[0], rows > 1 ? s[TILE_CLASSES] : zero,
                                             rows > 2 ? s[2 * TILE_CLASSES] : zero,
                                             rows > 3 ? s[3 * TILE_CLASSES] : zero));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            scores[(size_t)r * lds + TILE_CLASSES - 1] += quantum[TILE_CLASSES - 1] * sums[r];
    }
}

/* A weight of 16 bits. */
typedef int16_t packed_weight;

DOWNHILL_INLINE void tile(const int rows, const int classes, const int n_next, size_t d, size_t c,
                          const void *const *x, const void *const *next, const packed_weight *q,
                          const double *quantum, double *scores, size_t lds)
{
    const uint8_t *x_row[TILE_ROWS], *x_next[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    DOWNHILL_UNROLL
    for (int r = 0; r < n_next; r++)
        x_next[r] = next[r];
    __m512i sum_i32x16[TILE_ROWS * TILE_CLASSES];
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * TILE_CLASSES; s++)
        sum_i32x16[s] = _mm512_setzero_si512();

    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += U8X32 * c) {
        DOWNHILL_UNROLL
        for (int r = 0; r < n_next; r++)
            _mm_prefetch((const char *)x_next[r] + k, _MM_HINT_T0);
        __m512i x_i16x32[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            x_i16x32[r] = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(x_row[r] + k)));
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512i q_i16x32 = in_register_i(_mm512_loadu_si512(q + U8X32 * j));
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++) {
                __m512i *sum = &sum_i32x16[r * TILE_CLASSES + j];
                *sum =
                    in_register_i(_mm512_add_epi32(*sum, _mm512_madd_epi16(x_i16x32[r], q_i16x32)));
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
                __m512i *sum = &sum_i32x16[r * TILE_CLASSES + j];
                const __m512i q_i16x32 = _mm512_loadu_si512(q + U8X32 * j);
                *sum = in_register_i(_mm512_add_epi32(*sum, _mm512_madd_epi16(x_i16x32, q_i16x32)));
            }
        }
    }
    add_to_f64_scores(rows, classes, sum_i32x16, quantum, scores, lds);
}

#include "score/score_u8_tiles.h"
