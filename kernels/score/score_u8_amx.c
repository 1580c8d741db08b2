/* SPDX-License-Identifier: MIT
 *
 * Scores of bytes with AMX-INT8 and packed weights. A tile holds 16 samples × up to 10 classes, and the features are
 * taken 64 at a time. Each weight is two signed bytes, q = 256·high + low.
 *
 * The rows of X are operand A and are read in place. Rows that are not evenly spaced, and the last features, are first
 * copied next to each other. Two groups of 16 samples and two bytes per weight make four independent products per 64
 * features, of 16 cycles each, against a latency of 52 cycles. They use all eight tiles: 4 for sums, 2 for X and 2 for
 * W. 10 of the 16 columns of a tile are used, which makes 320 products of a feature and a weight per cycle, where two
 * VNNI units make 64. The products read 2 KiB of X in 64 cycles, half of what L2 delivers. These figures are
 * calculated, not measured: the kernel has only run under emulation. */
#define DOWNHILL_LEVEL_NAME amx
#include "simd/amx.h"
#include "simd/avx512_u8.h"

enum {
    GROUP = TILE_ROWS_MAX,
    GROUPS = 2,
    SAMPLES = GROUPS * GROUP,
    QUAD = 4, /* features per row of operand B */
    ROWS_OF_W = U8X64 / QUAD,
    BYTES_OF_W = 2,
    AHEAD = 4 * LINE_BYTES + LINE_BYTES - 1 /* the line of the last byte of a load that far ahead */
};

/* Tile numbers. These are macros because the number of a tile is part of the instruction. Sums are numbered by group
 * and byte of the weight. */
#define SUM_0_HIGH 0
#define SUM_0_LOW  1
#define SUM_1_HIGH 2
#define SUM_1_LOW  3
#define X_0        4
#define X_1        5
#define W_HIGH     6
#define W_LOW      7

/* Rearranges c rows of 64 bytes into 16 rows of 4·c bytes, in place. */
DOWNHILL_INLINE void to_operand_b(size_t c, uint8_t *rows)
{
    __m512i row[GROUP];
    for (size_t j = 0; j < GROUP; j++)
        row[j] = j < c ? _mm512_loadu_si512(rows + j * U8X64) : _mm512_setzero_si512();
    transpose_16x16(row);
    const __mmask16 lanes = first_lanes_x16(c);
    for (size_t r = 0; r < ROWS_OF_W; r++)
        _mm512_mask_storeu_epi32(rows + r * QUAD * c, lanes, row[r]);
}

/* Returns 32 weights as 16-bit integers, 0 past the last of `left` weights. */
DOWNHILL_INLINE __m512i fixed_x32(const float *w, size_t left, __m512 factor_f32x16)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512 w_0 = _mm512_maskz_loadu_ps(first_lanes_x16(left), w);
    const __m512 w_1 =
        _mm512_maskz_loadu_ps(first_lanes_x16(left > F32X16 ? left - F32X16 : 0), w + F32X16);
    const __m512i q_0 = _mm512_cvtps_epi32(_mm512_mul_ps(w_0, factor_f32x16));
    const __m512i q_1 = _mm512_cvtps_epi32(_mm512_mul_ps(w_1, factor_f32x16));
    return _mm512_permutexvar_epi64(order, _mm512_packs_epi32(q_0, q_1));
}

/* Packs one class of a panel as operand B. Per 64 features, the high bytes and then the low bytes, each as 16 rows of
 * four bytes per class. Each class is stored as a plain row until the last class of the panel arrives. Then all rows
 * are rearranged. */
DOWNHILL_INLINE void pack_class(size_t d, size_t c, size_t j, const float *w, float factor,
                                void *panel)
{
    const __m512 factor_f32x16 = _mm512_set1_ps(factor);
    const __m512i half = _mm512_set1_epi16(128);
    uint8_t *rows = panel;
    for (size_t k = 0; k < d; k += U8X64, rows += BYTES_OF_W * U8X64 * c) {
        for (size_t h = 0; h < U8X64; h += U8X32) {
            const size_t left = d - k > h ? d - k - h : 0;
            const __m512i q = fixed_x32(w + k + h, left, factor_f32x16);
            /* The low byte is q modulo 256 in [-128, 128). The high byte is what remains, (q - low) / 256. */
            const __m512i high = _mm512_srai_epi16(_mm512_add_epi16(q, half), 8);
            _mm256_storeu_si256((void *)(rows + j * U8X64 + h), _mm512_cvtepi16_epi8(high));
            _mm256_storeu_si256((void *)(rows + (c + j) * U8X64 + h), _mm512_cvtepi16_epi8(q));
        }
        if (j + 1 == c) {
            to_operand_b(c, rows);
            to_operand_b(c, rows + U8X64 * c);
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(pack_u8)(size_t d, size_t c, size_t j, size_t classes, const float *w,
                            size_t ldw, const float *factors, void *panel)
{
    for (size_t i = 0; i < classes; i++)
        pack_class(d, c, j + i, w + i * ldw, factors[i], panel);
}

/* Returns 64 features of n rows, from feature k on, with zeros after the last feature. `apart` is the distance between
 * rows, or 0 if it varies. */
DOWNHILL_INLINE struct operand rows_of_x(size_t n, size_t d, size_t k, const void *const *x,
                                         ptrdiff_t apart, __m512i copy[GROUP])
{
    if (apart != 0 && k + U8X64 <= d)
        return (struct operand){(const uint8_t *)x[0] + k, apart};
    const __mmask64 bytes = first_bytes_x64(d - k);
    for (size_t i = 0; i < n; i++)
        _mm512_store_si512(&copy[i], _mm512_maskz_loadu_epi8(bytes, (const uint8_t *)x[i] + k));
    amx_stored(copy);
    return (struct operand){copy, TILE_ROW_BYTES};
}

DOWNHILL_INLINE struct amx_shapes shapes_of(size_t n_0, size_t n_1, size_t c)
{
    struct amx_shapes shapes = {0};
    amx_shape(&shapes, SUM_0_HIGH, n_0, c * sizeof(int32_t));
    amx_shape(&shapes, SUM_0_LOW, n_0, c * sizeof(int32_t));
    amx_shape(&shapes, SUM_1_HIGH, n_1, c * sizeof(int32_t));
    amx_shape(&shapes, SUM_1_LOW, n_1, c * sizeof(int32_t));
    amx_shape(&shapes, X_0, n_0, TILE_ROW_BYTES);
    amx_shape(&shapes, X_1, n_1, TILE_ROW_BYTES);
    amx_shape(&shapes, W_HIGH, ROWS_OF_W, c * QUAD);
    amx_shape(&shapes, W_LOW, ROWS_OF_W, c * QUAD);
    return shapes;
}

/* Adds quantum·(256·high + low) to the scores, exactly. */
DOWNHILL_INLINE void add_sums(size_t n, size_t c, int32_t high[GROUP][GROUP],
                              int32_t low[GROUP][GROUP], const double *quantum, double *scores,
                              size_t lds)
{
    enum { F64X8 = 8 };
    const __m512d limb = _mm512_set1_pd(256.0);
    for (size_t j = 0; j < c; j += F64X8) {
        const __mmask8 lanes = (__mmask8)first_lanes_x16(c - j);
        const __m512d quantum_f64x8 = _mm512_maskz_loadu_pd(lanes, quantum + j);
        for (size_t i = 0; i < n; i++) {
            const __m512d high_f64x8 =
                _mm512_cvtepi32_pd(_mm256_maskz_loadu_epi32(lanes, high[i] + j));
            const __m512d low_f64x8 =
                _mm512_cvtepi32_pd(_mm256_maskz_loadu_epi32(lanes, low[i] + j));
            const __m512d sum = _mm512_fmadd_pd(high_f64x8, limb, low_f64x8);
            double *to = scores + i * lds + j;
            const __m512d before = _mm512_maskz_loadu_pd(lanes, to);
            _mm512_mask_storeu_pd(to, lanes, _mm512_fmadd_pd(quantum_f64x8, sum, before));
        }
    }
}

/* Adds the scores of two groups of n_0 and n_1 samples; n_1 may be 0. */
DOWNHILL_INLINE void two_groups(size_t n_0, size_t n_1, size_t d, size_t c, const void *const *x,
                                const uint8_t *w, const double *quantum, double *scores, size_t lds)
{
    const ptrdiff_t apart_0 = amx_distance(n_0, x), apart_1 = amx_distance(n_1, x + n_0);
    const ptrdiff_t w_bytes = (ptrdiff_t)(QUAD * c);
    __m512i copy_0[GROUP], copy_1[GROUP];
    _tile_zero(SUM_0_HIGH);
    _tile_zero(SUM_0_LOW);
    if (n_1 > 0) {
        _tile_zero(SUM_1_HIGH);
        _tile_zero(SUM_1_LOW);
    }
    for (size_t k = 0; k < d; k += U8X64, w += BYTES_OF_W * U8X64 * c) {
        for (size_t i = 0; i < n_0 + n_1; i++)
            _mm_prefetch((const char *)x[i] + k + AHEAD, _MM_HINT_T0);
        const struct operand x_0 = rows_of_x(n_0, d, k, x, apart_0, copy_0);
        amx_load(X_0, x_0.data, x_0.row_bytes);
        amx_load(W_HIGH, w, w_bytes);
        _tile_dpbusd(SUM_0_HIGH, X_0, W_HIGH);
        amx_load(W_LOW, w + U8X64 * c, w_bytes);
        _tile_dpbusd(SUM_0_LOW, X_0, W_LOW);
        if (n_1 > 0) {
            const struct operand x_1 = rows_of_x(n_1, d, k, x + n_0, apart_1, copy_1);
            amx_load(X_1, x_1.data, x_1.row_bytes);
            _tile_dpbusd(SUM_1_HIGH, X_1, W_HIGH);
            _tile_dpbusd(SUM_1_LOW, X_1, W_LOW);
        }
    }
    int32_t high[GROUP][GROUP], low[GROUP][GROUP];
    _tile_stored(SUM_0_HIGH, high, sizeof high[0]);
    _tile_stored(SUM_0_LOW, low, sizeof low[0]);
    add_sums(n_0, c, high, low, quantum, scores, lds);
    if (n_1 > 0) {
        _tile_stored(SUM_1_HIGH, high, sizeof high[0]);
        _tile_stored(SUM_1_LOW, low, sizeof low[0]);
        add_sums(n_1, c, high, low, quantum, scores + n_0 * lds, lds);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_u8)(size_t n, size_t d, size_t c, const void *const *x, const void *packed,
                             const double *quantum, double *scores, size_t lds)
{
    const struct amx_shapes full = shapes_of(GROUP, GROUP, c);
    amx_begin(&full);
    size_t i = 0;
    for (; i + SAMPLES <= n; i += SAMPLES)
        two_groups(GROUP, GROUP, d, c, x + i, packed, quantum, scores + i * lds, lds);
    if (i < n) {
        const size_t n_0 = n - i < GROUP ? n - i : GROUP, n_1 = n - i - n_0;
        const struct amx_shapes tail = shapes_of(n_0, n_1, c);
        amx_begin(&tail);
        two_groups(n_0, n_1, d, c, x + i, packed, quantum, scores + i * lds, lds);
    }
    amx_end();
}
