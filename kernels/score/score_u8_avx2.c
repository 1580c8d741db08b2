/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX2.
 *
 * A byte is widened to the 16 bits of a weight, and an instruction makes 16 products, twice those of an f32 FMA. Per 16
 * features a tile of 2 samples × 5 classes loads 2 vectors of X and 5 of W for 10 such instructions. It takes 13 of the
 * 16 registers. VPMADDUBSW would make 32 products, but saturates unless the weights are split into three parts.
 *
 * Tails: the last sample alone; the last features 16 at a time, then from a copy padded with zeros. */
#define DOWNHILL_LEVEL_NAME avx2
#include "simd/avx2_u8.h"

enum { TILE_ROWS = 2, TILE_CLASSES = 5 };

DOWNHILL_INLINE void pack_32(const float *w, __m256 factor_f32x8, int16_t *q)
{
    DOWNHILL_UNROLL
    for (int half = 0; half < U8X32; half += I16X16) {
        const __m256 w_0 = _mm256_loadu_ps(w + half), w_1 = _mm256_loadu_ps(w + half + F32X8);
        const __m256i q_0 = _mm256_cvtps_epi32(_mm256_mul_ps(w_0, factor_f32x8));
        const __m256i q_1 = _mm256_cvtps_epi32(_mm256_mul_ps(w_1, factor_f32x8));
        /* VPACKSSDW works within each 128-bit part. This puts the halves of the parts in order. */
        store_i(q + half,
                _mm256_permute4x64_epi64(_mm256_packs_epi32(q_0, q_1), _MM_SHUFFLE(3, 1, 2, 0)));
    }
}

/* Packs one class of a panel. Per 32 features, those of the first class, then those of the second class, and so on;
 * zeros after the last feature. */
DOWNHILL_INLINE void pack_class(size_t d, size_t c, const float *w, float factor, int16_t *q)
{
    const __m256 factor_f32x8 = _mm256_set1_ps(factor);
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += c * U8X32)
        pack_32(w + k, factor_f32x8, q);
    if (k < d) {
        float last[U8X32] = {0.0f};
        memcpy(last, w + k, (d - k) * sizeof *w);
        pack_32(last, factor_f32x8, q);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    for (size_t i = 0; i < classes; i++)
        pack_class(d, c, w + i * ldw, factors[i], (int16_t *)panel + (j + i) * U8X32);
}

/* Returns the horizontal sums of two vectors. */
DOWNHILL_INLINE __m128d sum_lanes_f64(__m256i v0, __m256i v1)
{
    const __m256d d0 = _mm256_add_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(v0)),
                                     _mm256_cvtepi32_pd(_mm256_extracti128_si256(v0, 1)));
    const __m256d d1 = _mm256_add_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(v1)),
                                     _mm256_cvtepi32_pd(_mm256_extracti128_si256(v1, 1)));
    const __m256d halves = _mm256_add_pd(_mm256_unpacklo_pd(d0, d1), _mm256_unpackhi_pd(d0, d1));
    return _mm_add_pd(_mm256_castpd256_pd128(halves), _mm256_extractf128_pd(halves, 1));
}

/* Adds the sums of a tile to its scores. Each product and sum is exact. */
DOWNHILL_INLINE void add_to_f64_scores(const int rows, const int classes,
                                       const __m256i sum_i32x8[TILE_ROWS * TILE_CLASSES],
                                       const double *quantum, double *scores, size_t lds)
{
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m256i *s = sum_i32x8 + r * TILE_CLASSES;
        double *to = scores + (size_t)r * lds;
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j += 2) {
            const __m128d sums = sum_lanes_f64(s[j], j + 1 < classes ? s[j + 1] : s[j]);
            if (j + 1 < classes)
                _mm_storeu_pd(to + j, _mm_add_pd(_mm_loadu_pd(to + j),
                                                 _mm_mul_pd(_mm_loadu_pd(quantum + j), sums)));
            else
                to[j] += quantum[j] * _mm_cvtsd_f64(sums);
        }
    }
}

/* Adds the products of 16 features to the sums. */
DOWNHILL_INLINE void add_products(const int rows, const int classes, const uint8_t *const *x,
                                  size_t k, const int16_t *q,
                                  __m256i sum_i32x8[TILE_ROWS * TILE_CLASSES])
{
    __m256i x_i16x16[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_i16x16[r] = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(x[r] + k)));
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        const __m256i q_i16x16 = in_register_i(load_i(q + U8X32 * (size_t)j));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            __m256i *sum = &sum_i32x8[r * TILE_CLASSES + j];
            *sum = in_register_i(_mm256_add_epi32(*sum, _mm256_madd_epi16(x_i16x16[r], q_i16x16)));
        }
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
    __m256i sum_i32x8[TILE_ROWS * TILE_CLASSES];
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * TILE_CLASSES; s++)
        sum_i32x8[s] = _mm256_setzero_si256();

    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += U8X32 * c) {
        DOWNHILL_UNROLL
        for (int r = 0; r < n_next; r++)
            _mm_prefetch((const char *)x_next[r] + k, _MM_HINT_T0);
        add_products(rows, classes, x_row, k, q, sum_i32x8);
        add_products(rows, classes, x_row, k + I16X16, q + I16X16, sum_i32x8);
    }
    if (k + I16X16 <= d) {
        add_products(rows, classes, x_row, k, q, sum_i32x8);
        k += I16X16, q += I16X16;
    }
    if (k < d) {
        uint8_t copy[TILE_ROWS][I16X16] = {{0}};
        const uint8_t *last[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            memcpy(copy[r], x_row[r] + k, d - k);
            last[r] = copy[r];
        }
        add_products(rows, classes, last, 0, q, sum_i32x8);
    }
    add_to_f64_scores(rows, classes, sum_i32x8, quantum, scores, lds);
}

#include "score/score_u8_tiles.h"
