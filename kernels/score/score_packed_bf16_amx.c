/* SPDX-License-Identifier: MIT
 *
 * Scores of bf16 features with AMX-BF16 and packed weights. A tile holds 16 samples × up to 10 classes, and the
 * features are taken 32 at a time. Each weight is split into two terms, as in score_packed_bf16_avx512bf16.c.
 *
 * The rows of X are operand A and are read in place. Rows that are not evenly spaced, and the last features, are first
 * copied next to each other. Two groups of 16 samples and two terms make four independent products per 32 features, of
 * 16 cycles each, against a latency of 52 cycles. They use all eight tiles: 4 for sums, 2 for X and 2 for W. 10 of the
 * 16 columns of a tile are used, which makes 160 products per cycle, where two FMA units make 32. The products read
 * 2 KiB of X in 64 cycles, half of what L2 delivers. These figures are calculated, not measured: the kernel has only
 * run under emulation.
 *
 * Error: as in that file, but m is 16 for a product, 1 to add its two halves, 1 per 32 features to add it to the sum,
 * and per chunk 1 to add the terms and 1 to add to the score. */
#define DOWNHILL_LEVEL_NAME amx
#include "simd/amx.h"

enum { GROUP = TILE_ROWS_MAX, GROUPS = 2, SAMPLES = GROUPS * GROUP, ROWS_OF_W = BF16X32 / 2 };

/* Tile numbers. These are macros because the number of a tile is part of the instruction. Sums are numbered by group
 * and term. */
#define SUM_0_HIGH 0
#define SUM_0_LOW  1
#define SUM_1_HIGH 2
#define SUM_1_LOW  3
#define X_0        4
#define X_1        5
#define W_HIGH     6
#define W_LOW      7

/* Packs weights as operand B. Per 32 features, the high terms and then the low terms, each as 16 rows of one pair per
 * class. */
DOWNHILL_TARGET
void DOWNHILL_NAME(pack_bf16)(size_t d, size_t c, const float *w, size_t ldw, float *packed)
{
    const __m512i row = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_mullo_epi32(row, _mm512_set1_epi32((int)c));
    for (size_t k = 0; k < d; k += BF16X32, packed += TERMS * ROWS_OF_W * c)
        for (size_t j = 0; j < c; j++) {
            const struct terms_x32 terms = split_x32(w + j * ldw + k, d - k);
            _mm512_i32scatter_epi32(packed + j, at, terms.high, sizeof(float));
            _mm512_i32scatter_epi32(packed + ROWS_OF_W * c + j, at, terms.low, sizeof(float));
        }
}

/* Returns 32 features of n rows, from feature k on, with zeros after the last feature. `apart` is the distance between
 * rows, or 0 if it varies. */
DOWNHILL_INLINE struct operand rows_of_x(size_t n, size_t d, size_t k, const void *const *x,
                                         ptrdiff_t apart, __m512i copy[GROUP])
{
    if (apart != 0 && k + BF16X32 <= d)
        return (struct operand){(const uint16_t *)x[0] + k, apart};
    const __mmask32 lanes = first_lanes_x32(d - k);
    for (size_t i = 0; i < n; i++)
        _mm512_store_si512(&copy[i], some_features_x32(lanes, x[i], k));
    amx_stored(copy);
    return (struct operand){copy, TILE_ROW_BYTES};
}

DOWNHILL_INLINE struct amx_shapes shapes_of(size_t n_0, size_t n_1, size_t c)
{
    struct amx_shapes shapes = {0};
    amx_shape(&shapes, SUM_0_HIGH, n_0, c * sizeof(float));
    amx_shape(&shapes, SUM_0_LOW, n_0, c * sizeof(float));
    amx_shape(&shapes, SUM_1_HIGH, n_1, c * sizeof(float));
    amx_shape(&shapes, SUM_1_LOW, n_1, c * sizeof(float));
    amx_shape(&shapes, X_0, n_0, TILE_ROW_BYTES);
    amx_shape(&shapes, X_1, n_1, TILE_ROW_BYTES);
    amx_shape(&shapes, W_HIGH, ROWS_OF_W, c * sizeof(float));
    amx_shape(&shapes, W_LOW, ROWS_OF_W, c * sizeof(float));
    return shapes;
}

/* Sets the scores by high + low. */
DOWNHILL_INLINE void set_scores_of_terms(size_t n, size_t c, float high[GROUP][GROUP],
                                         float low[GROUP][GROUP], struct scores scores)
{
    const __mmask16 lanes = first_lanes_x16(c);
    for (size_t i = 0; i < n; i++) {
        const __m512 sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, high[i]),
                                         _mm512_maskz_loadu_ps(lanes, low[i]));
        const struct scores s_i = scores_at(scores, i, 0);
        const __m512 from = _mm512_maskz_loadu_ps(lanes, s_i.from);
        _mm512_mask_storeu_ps(s_i.to, lanes, _mm512_add_ps(from, sum));
    }
}

/* Sets the scores of two groups of n_0 and n_1 samples; n_1 may be 0. */
DOWNHILL_INLINE void two_groups(size_t n_0, size_t n_1, size_t d, size_t c, const void *const *x,
                                const float *w, struct scores scores, struct prefetch *prefetch)
{
    const ptrdiff_t apart_0 = amx_distance(n_0, x), apart_1 = amx_distance(n_1, x + n_0);
    const ptrdiff_t w_bytes = (ptrdiff_t)(c * sizeof *w);
    __m512i copy_0[GROUP], copy_1[GROUP];
    _tile_zero(SUM_0_HIGH);
    _tile_zero(SUM_0_LOW);
    if (n_1 > 0) {
        _tile_zero(SUM_1_HIGH);
        _tile_zero(SUM_1_LOW);
    }
    for (size_t k = 0; k < d; k += BF16X32, w += TERMS * ROWS_OF_W * c) {
        prefetch_steps(prefetch, (n_0 + n_1) / 2);
        const struct operand x_0 = rows_of_x(n_0, d, k, x, apart_0, copy_0);
        amx_load(X_0, x_0.data, x_0.row_bytes);
        amx_load(W_HIGH, w, w_bytes);
        _tile_dpbf16ps(SUM_0_HIGH, X_0, W_HIGH);
        amx_load(W_LOW, w + ROWS_OF_W * c, w_bytes);
        _tile_dpbf16ps(SUM_0_LOW, X_0, W_LOW);
        if (n_1 > 0) {
            const struct operand x_1 = rows_of_x(n_1, d, k, x + n_0, apart_1, copy_1);
            amx_load(X_1, x_1.data, x_1.row_bytes);
            _tile_dpbf16ps(SUM_1_HIGH, X_1, W_HIGH);
            _tile_dpbf16ps(SUM_1_LOW, X_1, W_LOW);
        }
    }
    float high[GROUP][GROUP], low[GROUP][GROUP];
    _tile_stored(SUM_0_HIGH, high, sizeof high[0]);
    _tile_stored(SUM_0_LOW, low, sizeof low[0]);
    set_scores_of_terms(n_0, c, high, low, scores);
    if (n_1 > 0) {
        _tile_stored(SUM_1_HIGH, high, sizeof high[0]);
        _tile_stored(SUM_1_LOW, low, sizeof low[0]);
        set_scores_of_terms(n_1, c, high, low, scores_at(scores, n_0, 0));
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *packed, const struct scores *scores,
                                      struct prefetch *prefetch)
{
    const struct amx_shapes full = shapes_of(GROUP, GROUP, c);
    amx_begin(&full);
    size_t i = 0;
    for (; i + SAMPLES <= n; i += SAMPLES)
        two_groups(GROUP, GROUP, d, c, x + i, packed, scores_at(*scores, i, 0), prefetch);
    if (i < n) {
        const size_t n_0 = n - i < GROUP ? n - i : GROUP, n_1 = n - i - n_0;
        const struct amx_shapes tail = shapes_of(n_0, n_1, c);
        amx_begin(&tail);
        two_groups(n_0, n_1, d, c, x + i, packed, scores_at(*scores, i, 0), prefetch);
    }
    amx_end();
}
