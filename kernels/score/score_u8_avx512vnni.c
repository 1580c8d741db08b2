/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AVX512-VNNI. VPDPBUSD multiplies 64 unsigned by 64 signed bytes and adds the products four by
 * four. A weight is two signed bytes, q = 256·high + low, so that the bytes of X are multiplied as they are, and no
 * shuffle delays the products: the load itself repeats the bytes of a sample as often as a vector of weights needs
 * them.
 *
 * More than five classes: a vector has 16 features of two classes, high and low bytes of the first, then of the
 * second. Per 16 features a tile of 4 samples × 10 classes loads 4 vectors of X and 5 of W for 20 VPDPBUSD. Up to
 * five classes: a vector has 32 features of one class, their high bytes, then their low bytes. A tile takes twice as
 * many bytes of X per load, and an odd number of classes wastes nothing.
 *
 * Tails: the last samples one at a time, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#include "simd/avx512_u8.h"

enum {
    TILE_ROWS = 4,
    ROWS_MAX = 8,
    U8X16 = 16,
    CLASS_BYTES = 32, /* of 16 features of a class */
    SINGLE_CLASSES = 5,
    VECTORS = PANEL_CLASSES / 2,
    SUMS_MAX = TILE_ROWS * VECTORS
};

/* Loads the weights of 32 features, with zeros past the last of `left`, and splits them into bytes. VPACKSSDW and
 * VPSHUFB work within 128-bit parts: dword 4p + i of their result has four high (i even) or low bytes (i odd), of
 * features 4p … 4p+3 (i < 2) or 16 + 4p … 16 + 4p+3. `order` arranges these dwords. */
DOWNHILL_INLINE __m512i split_bytes(const float *w, size_t left, __m512 factor_f32x16,
                                    __m512i order)
{
    /* Adding 128 rounds the high byte for a low byte in [-128, 128), and inverts the sign bit of the low byte. */
    const __m512i half = _mm512_set1_epi16(128);
    const __m512i bytes =
        _mm512_broadcast_i32x4(_mm_setr_epi8(1, 3, 5, 7, 0, 2, 4, 6, 9, 11, 13, 15, 8, 10, 12, 14));
    __m512 w_0, w_1;
    if (left >= U8X32) {
        w_0 = _mm512_loadu_ps(w);
        w_1 = _mm512_loadu_ps(w + F32X16);
    } else {
        w_0 = _mm512_maskz_loadu_ps(first_lanes_x16(left), w);
        w_1 = _mm512_maskz_loadu_ps(first_lanes_x16(left > F32X16 ? left - F32X16 : 0), w + F32X16);
    }
    const __m512i q_0 = _mm512_cvtps_epi32(_mm512_mul_ps(w_0, factor_f32x16));
    const __m512i q_1 = _mm512_cvtps_epi32(_mm512_mul_ps(w_1, factor_f32x16));
    const __m512i q = _mm512_add_epi16(_mm512_packs_epi32(q_0, q_1), half);
    const __m512i split = _mm512_shuffle_epi8(_mm512_xor_si512(q, half), bytes);
    return _mm512_permutexvar_epi32(order, split);
}

/* Packs one class per vector: 32 high bytes and 32 low bytes. */
DOWNHILL_INLINE void pack_single(size_t d, size_t c, const float *w, float factor, uint8_t *to)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15);
    const __m512 factor_f32x16 = _mm512_set1_ps(factor);
    for (size_t k = 0; k < d; k += U8X32, to += 2 * c * CLASS_BYTES)
        _mm512_storeu_si512(to, split_bytes(w + k, d - k, factor_f32x16, order));
}

/* Packs two classes, or the last one of an odd number, per vector: 16 high and 16 low bytes of each. Both at once
 * fill a cache line. */
DOWNHILL_INLINE void pack_pair(size_t d, size_t c, size_t classes, const float *w, size_t ldw,
                               const float *factors, uint8_t *to)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512 factor_0 = _mm512_set1_ps(factors[0]);
    const __m512 factor_1 = _mm512_set1_ps(factors[classes - 1]);
    for (size_t k = 0; k < d; k += U8X32, to += 2 * c * CLASS_BYTES) {
        uint8_t *to_upper = to + c * CLASS_BYTES;
        const __m512i first = split_bytes(w + k, d - k, factor_0, order);
        if (classes > 1) {
            const __m512i second = split_bytes(w + ldw + k, d - k, factor_1, order);
            _mm512_storeu_si512(to, _mm512_shuffle_i64x2(first, second, _MM_SHUFFLE(1, 0, 1, 0)));
            _mm512_storeu_si512(to_upper,
                                _mm512_shuffle_i64x2(first, second, _MM_SHUFFLE(3, 2, 3, 2)));
        } else {
            _mm256_storeu_si256((void *)to, _mm512_castsi512_si256(first));
            _mm256_storeu_si256((void *)to_upper, _mm512_extracti64x4_epi64(first, 1));
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    if (c > SINGLE_CLASSES) {
        pack_pair(d, c, classes, w, ldw, factors, (uint8_t *)panel + j * CLASS_BYTES);
        return;
    }
    for (size_t i = 0; i < classes; i++)
        pack_single(d, c, w + i * ldw, factors[i], (uint8_t *)panel + (j + i) * 2 * CLASS_BYTES);
}

/* Returns the sums of four vectors by 128-bit part: lane v of part p is the sum of part p of vector v. */
DOWNHILL_INLINE __m512i sum_parts_i(__m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i s01 = _mm512_add_epi32(_mm512_unpacklo_epi32(v0, v1), //
                                         _mm512_unpackhi_epi32(v0, v1));
    const __m512i s23 = _mm512_add_epi32(_mm512_unpacklo_epi32(v2, v3), //
                                         _mm512_unpackhi_epi32(v2, v3));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23), //
                            _mm512_unpackhi_epi64(s01, s23));
}

/* Returns the sums of the products with whole weights from four vectors of one class each. */
DOWNHILL_INLINE __m256d single_sums(const __m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i parts = sum_parts_i(v0, v1, v2, v3);
    const __m256i high = _mm512_castsi512_si256(parts), low = _mm512_extracti64x4_epi64(parts, 1);
    const __m256d high_f64x4 = _mm256_cvtepi32_pd(
        _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1)));
    const __m256d low_f64x4 = _mm256_cvtepi32_pd(
        _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
    return _mm256_fmadd_pd(_mm256_set1_pd(256.0), high_f64x4, low_f64x4);
}

/* Returns the sums of the products with whole weights from four vectors of two classes each: in the lower half those of
 * the first class of each vector, in the upper half those of the second. */
DOWNHILL_INLINE __m512d pair_sums(__m512i v0, __m512i v1, __m512i v2, __m512i v3)
{
    const __m512i parts = sum_parts_i(v0, v1, v2, v3);
    const __m512d first = _mm512_cvtepi32_pd(_mm512_castsi512_si256(parts));
    const __m512d second = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(parts, 1));
    const __m512d high = _mm512_shuffle_f64x2(first, second, _MM_SHUFFLE(1, 0, 1, 0));
    const __m512d low = _mm512_shuffle_f64x2(first, second, _MM_SHUFFLE(3, 2, 3, 2));
    return _mm512_fmadd_pd(_mm512_set1_pd(256.0), high, low);
}

/* Adds the sums of a tile to its scores. Each product and sum is exact. */
DOWNHILL_INLINE void add_single_sums(const int rows, const int classes, const __m512i *sum_i32x16,
                                     const double *quantum, double *scores, size_t lds)
{
    const __m512i zero = _mm512_setzero_si512();
    const __mmask8 lanes = (__mmask8)((1 << (classes < 4 ? classes : 4)) - 1);
    const __m256d quantum_f64x4 = _mm256_maskz_loadu_pd(lanes, quantum);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512i *s = sum_i32x16 + r * classes;
        const __m256d sums = single_sums(s[0], classes > 1 ? s[1] : zero, classes > 2 ? s[2] : zero,
                                         classes > 3 ? s[3] : zero);
        double *to = scores + (size_t)r * lds;
        const __m256d before = _mm256_maskz_loadu_pd(lanes, to);
        _mm256_mask_storeu_pd(to, lanes, _mm256_fmadd_pd(quantum_f64x4, sums, before));
    }
    if (classes == SINGLE_CLASSES) {
        const __m512i *s = sum_i32x16 + SINGLE_CLASSES - 1;
        double sums[TILE_ROWS];
        _mm256_storeu_pd(sums, single_sums(s[0], rows > 1 ? s[SINGLE_CLASSES] : zero,
                                           rows > 2 ? s[2 * SINGLE_CLASSES] : zero,
                                           rows > 3 ? s[3 * SINGLE_CLASSES] : zero));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            scores[(size_t)r * lds + SINGLE_CLASSES - 1] += quantum[SINGLE_CLASSES - 1] * sums[r];
    }
}

DOWNHILL_INLINE void add_pair_sums(const int rows, const int vectors, size_t c,
                                   const __m512i *sum_i32x16, const double *quantum, double *scores,
                                   size_t lds)
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i in_turn = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    const __mmask8 lanes = (__mmask8)(c < 8 ? (1u << c) - 1u : 255u);
    const __m512d quantum_f64x8 = _mm512_maskz_loadu_pd(lanes, quantum);
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512i *s = sum_i32x16 + r * vectors;
        const __m512d sums = pair_sums(s[0], vectors > 1 ? s[1] : zero, vectors > 2 ? s[2] : zero,
                                       vectors > 3 ? s[3] : zero);
        double *to = scores + (size_t)r * lds;
        const __m512d before = _mm512_maskz_loadu_pd(lanes, to);
        _mm512_mask_storeu_pd(
            to, lanes,
            _mm512_fmadd_pd(quantum_f64x8, _mm512_permutexvar_pd(in_turn, sums), before));
    }
    if (vectors == VECTORS) {
        const __m512i *s = sum_i32x16 + VECTORS - 1;
        double sums[8];
        _mm512_storeu_pd(sums, pair_sums(s[0], rows > 1 ? s[VECTORS] : zero,
                                         rows > 2 ? s[2 * VECTORS] : zero,
                                         rows > 3 ? s[3 * VECTORS] : zero));
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            double *to = scores + (size_t)r * lds + 8;
            to[0] += quantum[8] * sums[r];
            if (c > 9)
                to[1] += quantum[9] * sums[4 + r];
        }
    }
}

/* Returns 16 or 32 bytes of a sample, as often as a vector of weights needs them. If `masked`, only `left` of them
 * exist. */
DOWNHILL_INLINE __m512i load_x(const int single, const int masked, size_t left, const uint8_t *x)
{
    if (single)
        return _mm512_broadcast_i64x4(masked ? _mm256_maskz_loadu_epi8(first_bytes_x32(left), x)
                                             : _mm256_loadu_si256((const void *)x));
    return _mm512_broadcast_i32x4(masked ? _mm_maskz_loadu_epi8(first_lanes_x16(left), x)
                                         : _mm_loadu_si128((const void *)x));
}

/* Loads vector v of the weights of some features. The last of an odd number of classes in pairs has half a vector. */
DOWNHILL_INLINE __m512i load_weights(const int half, const uint8_t *q, int v)
{
    const uint8_t *from = q + (size_t)v * 2 * CLASS_BYTES;
    return half ? _mm512_zextsi256_si512(_mm256_loadu_si256((const void *)from))
                : _mm512_loadu_si512(from);
}

/* Adds the products of 16 features, or of 32 with single classes, to the sums. */
DOWNHILL_INLINE void add_products(const int rows, const int c, const int masked, size_t left,
                                  const uint8_t *const *x, size_t k, const uint8_t *q,
                                  __m512i sum_i32x16[SUMS_MAX])
{
    const int single = c <= SINGLE_CLASSES, vectors = single ? c : (c + 1) / 2;
    __m512i w[VECTORS];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        w[v] = in_register_i(load_weights(!single && 2 * v + 1 == c, q, v));
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512i x_r = in_register_i(load_x(single, masked, left, x[r] + k));
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++) {
            __m512i *sum = &sum_i32x16[r * vectors + v];
            *sum = in_register_i(_mm512_dpbusd_epi32(*sum, x_r, w[v]));
        }
    }
}

DOWNHILL_INLINE void tile(const int rows, const int c, size_t d, const void *const *x,
                          const uint8_t *q, const double *quantum, double *scores, size_t lds)
{
    const int single = c <= SINGLE_CLASSES, vectors = single ? c : (c + 1) / 2;
    const size_t bytes_x16 = (size_t)c * CLASS_BYTES; /* of the weights of 16 features */
    const uint8_t *x_row[ROWS_MAX], *x_next[ROWS_MAX];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        x_row[r] = x[r];
        x_next[r] = x[rows + r];
    }
    __m512i sum_i32x16[SUMS_MAX];
    DOWNHILL_UNROLL
    for (int s = 0; s < rows * vectors; s++)
        sum_i32x16[s] = _mm512_setzero_si512();

    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32, q += 2 * bytes_x16) {
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++)
            _mm_prefetch((const char *)x_next[r] + k, _MM_HINT_T0);
        add_products(rows, c, 0, 0, x_row, k, q, sum_i32x16);
        if (!single)
            add_products(rows, c, 0, 0, x_row, k + U8X16, q + bytes_x16, sum_i32x16);
    }
    for (; k < d; k += single ? U8X32 : U8X16, q += bytes_x16) /* single classes: one turn */
        add_products(rows, c, 1, d - k, x_row, k, q, sum_i32x16);

    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r += TILE_ROWS) {
        const int tile_rows = rows < TILE_ROWS ? rows : TILE_ROWS;
        double *to = scores + (size_t)r * lds;
        if (single)
            add_single_sums(tile_rows, c, sum_i32x16 + r * vectors, quantum, to, lds);
        else
            add_pair_sums(tile_rows, vectors, (size_t)c, sum_i32x16 + r * vectors, quantum, to,
                          lds);
    }
}

DOWNHILL_INLINE void column_of_tiles(const int c, size_t n, size_t d, const void *const *x,
                                     const uint8_t *q, const double *quantum, double *scores,
                                     size_t lds)
{
    size_t i = 0;
    /* One or two classes need more samples for enough independent sums. */
    for (; c <= 2 && i + ROWS_MAX <= n; i += ROWS_MAX)
        tile(ROWS_MAX, c, d, x + i, q, quantum, scores + i * lds, lds);
    for (; i + TILE_ROWS <= n; i += TILE_ROWS)
        tile(TILE_ROWS, c, d, x + i, q, quantum, scores + i * lds, lds);
    for (; i < n; i++)
        tile(1, c, d, x + i, q, quantum, scores + i * lds, lds);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_u8)(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                             const double *quantum, double *scores, size_t lds)
{
    switch (c) {
    case 10:
        column_of_tiles(10, n, d, x, packed, quantum, scores, lds);
        break;
    case 9:
        column_of_tiles(9, n, d, x, packed, quantum, scores, lds);
        break;
    case 8:
        column_of_tiles(8, n, d, x, packed, quantum, scores, lds);
        break;
    case 7:
        column_of_tiles(7, n, d, x, packed, quantum, scores, lds);
        break;
    case 6:
        column_of_tiles(6, n, d, x, packed, quantum, scores, lds);
        break;
    case 5:
        column_of_tiles(5, n, d, x, packed, quantum, scores, lds);
        break;
    case 4:
        column_of_tiles(4, n, d, x, packed, quantum, scores, lds);
        break;
    case 3:
        column_of_tiles(3, n, d, x, packed, quantum, scores, lds);
        break;
    case 2:
        column_of_tiles(2, n, d, x, packed, quantum, scores, lds);
        break;
    default:
        column_of_tiles(1, n, d, x, packed, quantum, scores, lds);
        break;
    }
}
