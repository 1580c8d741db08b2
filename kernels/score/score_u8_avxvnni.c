/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX-VNNI: the kernel of score_u8_avx512vnni.c with vectors of half the length. VPDPBUSD
 * multiplies 32 unsigned by 32 signed bytes and adds the products four by four. A vector of weights takes 16 features
 * of one class: their high bytes and their low bytes.
 *
 * Per 16 features a tile of 2 samples × 5 classes loads 2 vectors of X and 5 of W for 10 VPDPBUSD. It takes 13 of the
 * 16 registers.
 *
 * Tails: the last sample alone; the last features from a copy padded with zeros. */
#define DOWNHILL_LEVEL_NAME avxvnni
#define DOWNHILL_VNNI
#include "simd/avx2_u8.h"

enum { TILE_ROWS = 2, TILE_CLASSES = 5, U8X16 = 16 /* features of a vector of weights */ };

/* Splits the weights of 16 features into 16 high and 16 low bytes. */
DOWNHILL_INLINE __m256i split_bytes(const float *w, __m256 factor_f32x8)
{
    /* Adding 128 rounds the high byte for a low byte in [-128, 128), and inverts the sign bit of the low byte. */
    const __m256i half = _mm256_set1_epi16(128);
    /* VPACKSSDW works within each 128-bit part. This collects the high and the low bytes of a part. */
    const __m256i bytes = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 14));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i q_0 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(w), factor_f32x8));
    const __m256i q_1 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(w + F32X8), factor_f32x8));
    const __m256i q = _mm256_add_epi16(_mm256_packs_epi32(q_0, q_1), half);
    const __m256i split = _mm256_shuffle_epi8(_mm256_xor_si256(q, half), bytes);
    return _mm256_permutevar8x32_epi32(split, order);
}

/* Packs per 16 features those of the first class, then those of the second class, and so on. */
DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    uint8_t *to = (uint8_t *)panel + j * U8X32;
    const __m256 factor_0 = _mm256_set1_ps(factors[0]);
    const __m256 factor_1 = _mm256_set1_ps(factors[classes - 1]);
    const float *w_0 = w, *w_1 = w + (classes - 1) * ldw;
    size_t k = 0;
    for (; k + U8X16 <= d; k += U8X16, to += c * U8X32) {
        store_i(to, split_bytes(w_0 + k, factor_0));
        if (classes > 1)
            store_i(to + U8X32, split_bytes(w_1 + k, factor_1));
    }
    if (k < d) {
        float last_0[U8X16] = {0.0f}, last_1[U8X16] = {0.0f};
        memcpy(last_0, w_0 + k, (d - k) * sizeof *w);
        memcpy(last_1, w_1 + k, (d - k) * sizeof *w);
        store_i(to, split_bytes(last_0, factor_0));
        if (classes > 1)
            store_i(to + U8X32, split_bytes(last_1, factor_1));
    }
}

/* Returns the sums of the products with whole weights from four vectors of sums. */
DOWNHILL_INLINE __m256d whole_sums(__m256i v0, __m256i v1, __m256i v2, __m256i v3)
{
    const __m256i s01 =
        _mm256_add_epi32(_mm256_unpacklo_epi32(v0, v1), _mm256_unpackhi_epi32(v0, v1));
    const __m256i s23 =
        _mm256_add_epi32(_mm256_unpacklo_epi32(v2, v3), _mm256_unpackhi_epi32(v2, v3));
    const __m256i parts =
        _mm256_add_epi32(_mm256_unpacklo_epi64(s01, s23), _mm256_unpackhi_epi64(s01, s23));
    const __m256d high = _mm256_cvtepi32_pd(_mm256_castsi256_si128(parts));
    const __m256d low = _mm256_cvtepi32_pd(_mm256_extracti128_si256(parts, 1));
    return _mm256_add_pd(_mm256_mul_pd(_mm256_set1_pd(256.0), high), low);
}

/* Adds the sums of a tile to its scores. Each product and sum is exact. */
DOWNHILL_INLINE void add_to_f64_scores(const int rows, const int classes,
                                       const __m256i sum_i32x8[TILE_ROWS * TILE_CLASSES],
                                       const double *quantum, double *scores, size_t lds)
{
    const __m256i zero = _mm256_setzero_si256();
    double sums[4];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m256i *s = sum_i32x8 + r * TILE_CLASSES;
        double *to = scores + (size_t)r * lds;
        const __m256d four = whole_sums(s[0], classes > 1 ? s[1] : zero, classes > 2 ? s[2] : zero,
                                        classes > 3 ? s[3] : zero);
        if (classes >= 4) {
            const __m256d products = _mm256_mul_pd(_mm256_loadu_pd(quantum), four);
            _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), products));
            continue;
        }
        _mm256_storeu_pd(sums, four);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++)
            to[j] += quantum[j] * sums[j];
    }
    if (classes == TILE_CLASSES) {
        const __m256i *s = sum_i32x8 + TILE_CLASSES - 1;
        _mm256_storeu_pd(sums, whole_sums(s[0], rows > 1 ? s[TILE_CLASSES] : zero, zero, zero));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            scores[(size_t)r * lds + TILE_CLASSES - 1] += quantum[TILE_CLASSES - 1] * sums[r];
    }
}

/* Adds the products of 16 features to the sums. */
DOWNHILL_INLINE void add_products(const int rows, const int classes, const uint8_t *const *x,
                                  size_t k, const uint8_t *q,
                                  __m256i sum_i32x8[TILE_ROWS * TILE_CLASSES])
{
    __m256i x_u8x16[TILE_ROWS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_u8x16[r] =
            in_register_i(_mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(x[r] + k))));
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        const __m256i w = in_register_i(load_i(q + U8X32 * (size_t)j));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            __m256i *sum = &sum_i32x8[r * TILE_CLASSES + j];
            *sum = in_register_i(DOWNHILL_DPBUSD(*sum, x_u8x16[r], w));
        }
    }
}

/* A byte of a weight. */
typedef uint8_t packed_weight;

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
    for (; k + U8X32 <= d; k += U8X32, q += 2 * U8X32 * c) {
        DOWNHILL_UNROLL
        for (int r = 0; r < n_next; r++)
            _mm_prefetch((const char *)x_next[r] + k, _MM_HINT_T0);
        add_products(rows, classes, x_row, k, q, sum_i32x8);
        add_products(rows, classes, x_row, k + U8X16, q + U8X32 * c, sum_i32x8);
    }
    for (; k < d; k += U8X16, q += U8X32 * c) {
        uint8_t copy[TILE_ROWS][U8X16] = {{0}};
        const uint8_t *last[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            memcpy(copy[r], x_row[r] + k, d - k < U8X16 ? d - k : U8X16);
            last[r] = copy[r];
        }
        add_products(rows, classes, last, 0, q, sum_i32x8);
    }
    add_to_f64_scores(rows, classes, sum_i32x8, quantum, scores, lds);
}

#include "score/score_u8_tiles.h"
