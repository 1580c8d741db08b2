/* SPDX-License-Identifier: MIT
 *
 * Gradient of bf16 features with AMX-BF16. A tile holds up to 10 classes × 16 features of dW, and the samples are taken
 * 32 at a time.
 *
 * The dscores, one row per class, are operand A. X is operand B. It must be interleaved two rows at a time, which takes
 * the shuffles of grad_bf16_avx512bf16.c and a copy. Four tiles of sums, 64 features together, are four independent
 * products of 16 cycles each, against a latency of 52 cycles. For 32 samples the products take 64 cycles. The loads
 * take 69: 64 rows of X, 64 rows of the copy and 10 rows of dscores. This makes about 300 products per cycle, where two
 * FMA units make 32. These figures are calculated, not measured: the kernel has only run under emulation.
 *
 * Dscores that bf16 does not hold exactly, and fewer than 32 samples, go to the kernel of the level below,
 * avx512bf16. */
#define DOWNHILL_LEVEL_NAME amx
#include "simd/amx.h"

enum {
    TILE_CLASSES = 10,
    DEPTH = 32, /* samples per product */
    GROUPS_MAX = BLOCK_ROWS_MAX / DEPTH,
    LANES = 16, /* features per tile */
    SUMS = 4,
    WIDTH = SUMS * LANES,
    N_MIN = DEPTH
};

#define SUM_0 0
#define SUM_1 1
#define SUM_2 2
#define SUM_3 3
#define G     4
#define X_0   5
#define X_1   6

/* Dscores of a block as bf16. Per 32 samples, one row per class; zeros after the last sample. */
typedef uint16_t dscores_of_block[GROUPS_MAX][TILE_CLASSES][DEPTH];

DOWNHILL_INLINE void pack_dscores(size_t n, size_t c, const float *dscores, size_t ldds,
                                  dscores_of_block g)
{
    for (size_t first = 0; first < n; first += DEPTH)
        for (size_t j = 0; j < c; j++)
            for (size_t i = 0; i < DEPTH; i++) {
                uint32_t bits = 0;
                if (first + i < n)
                    __builtin_memcpy(&bits, &dscores[(first + i) * ldds + j], sizeof bits);
                g[first / DEPTH][j][i] = (uint16_t)(bits >> 16);
            }
}

/* Interleaves 32 features of up to 32 samples, two rows at a time, with zeros after the last sample. In each 128-bit
 * part p, `low` gets features 8p … 8p+3 of a pair of rows and `high` 8p+4 … 8p+7. */
DOWNHILL_INLINE void interleave(size_t n, size_t k, __mmask32 lanes, const void *const *x,
                                __m512i low[DEPTH / 2], __m512i high[DEPTH / 2])
{
    for (size_t i = 0; i < DEPTH; i += 2) {
        const __m512i x_0 = i < n ? some_features_x32(lanes, x[i], k) : _mm512_setzero_si512();
        const __m512i x_1 =
            i + 1 < n ? some_features_x32(lanes, x[i + 1], k) : _mm512_setzero_si512();
        _mm512_store_si512(&low[i / 2], _mm512_unpacklo_epi16(x_0, x_1));
        _mm512_store_si512(&high[i / 2], _mm512_unpackhi_epi16(x_0, x_1));
    }
    amx_stored(low);
    amx_stored(high);
}

/* Stores 32 features of dW, or adds to them, given two tiles of sums in the order of interleave(). */
DOWNHILL_INLINE void put(size_t c, float low[TILE_CLASSES][LANES], float high[TILE_CLASSES][LANES],
                         __mmask32 lanes, unsigned flags, float *dw, size_t lddw)
{
    for (size_t j = 0; j < c; j++)
        put_in_order(_mm512_loadu_ps(low[j]), _mm512_loadu_ps(high[j]), lanes,
                     flags & GRAD_ACCUMULATE, dw + j * lddw);
}

DOWNHILL_TARGET
static void features_64(size_t n, size_t c, size_t k, __mmask32 lanes_0, __mmask32 lanes_1,
                        const void *const *x, dscores_of_block g, unsigned flags, float *dw,
                        size_t lddw, struct prefetch *prefetch)
{
    __m512i low[DEPTH / 2], high[DEPTH / 2];
    _tile_zero(SUM_0);
    _tile_zero(SUM_1);
    _tile_zero(SUM_2);
    _tile_zero(SUM_3);
    if (flags & GRAD_DW_FAR)
        fetch_dw((int)c, SUMS, dw + k, lddw);
    for (size_t i = 0; i < n; i += DEPTH) {
        const size_t rows = n - i < DEPTH ? n - i : DEPTH;
        prefetch_steps(prefetch, rows);
        for (size_t r = i; (flags & GRAD_PREFETCH_X) && r < i + rows; r++)
            for (size_t at = k + WIDTH + BF16X32 - 1; at < k + 2 * WIDTH; at += BF16X32)
                _mm_prefetch((const uint16_t *)x[r] + at, _MM_HINT_T1);
        amx_load(G, g[i / DEPTH], TILE_ROW_BYTES);
        interleave(rows, k, lanes_0, x + i, low, high);
        amx_load(X_0, low, TILE_ROW_BYTES);
        amx_load(X_1, high, TILE_ROW_BYTES);
        _tile_dpbf16ps(SUM_0, G, X_0);
        _tile_dpbf16ps(SUM_1, G, X_1);
        interleave(rows, k + BF16X32, lanes_1, x + i, low, high);
        amx_load(X_0, low, TILE_ROW_BYTES);
        amx_load(X_1, high, TILE_ROW_BYTES);
        _tile_dpbf16ps(SUM_2, G, X_0);
        _tile_dpbf16ps(SUM_3, G, X_1);
    }
    float sums[2][TILE_CLASSES][LANES];
    _tile_stored(SUM_0, sums[0], TILE_ROW_BYTES);
    _tile_stored(SUM_1, sums[1], TILE_ROW_BYTES);
    put(c, sums[0], sums[1], lanes_0, flags, dw + k, lddw);
    _tile_stored(SUM_2, sums[0], TILE_ROW_BYTES);
    _tile_stored(SUM_3, sums[1], TILE_ROW_BYTES);
    put(c, sums[0], sums[1], lanes_1, flags, dw + k + BF16X32, lddw);
}

DOWNHILL_TARGET
static void panel(size_t n, size_t d, size_t c, const void *const *x, const float *dscores,
                  size_t ldds, unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    _Alignas(64) dscores_of_block g;
    pack_dscores(n, c, dscores, ldds, g);
    amx_stored(g);
    struct amx_shapes shapes = {0};
    for (int s = SUM_0; s <= SUM_3; s++)
        amx_shape(&shapes, s, c, LANES * sizeof(float));
    amx_shape(&shapes, G, c, TILE_ROW_BYTES);
    amx_shape(&shapes, X_0, DEPTH / 2, TILE_ROW_BYTES);
    amx_shape(&shapes, X_1, DEPTH / 2, TILE_ROW_BYTES);
    amx_begin(&shapes);
    for (size_t k = 0; k < d; k += WIDTH) {
        const size_t left = d - k, upper = left > BF16X32 ? left - BF16X32 : 0;
        features_64(n, c, k, first_lanes_x32(left), first_lanes_x32(upper), x, g, flags, dw, lddw,
                    prefetch);
    }
    amx_end();
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const float *ds = dscores + j;
        float *dwj = dw + j * lddw;
        if (n < N_MIN || !fit_bf16(n, classes, ds, ldds))
            downhill_grad_bf16_avx512bf16(n, d, classes, x, ds, ldds, flags, dwj, lddw, prefetch);
        else
            panel(n, d, classes, x, ds, ldds, flags, dwj, lddw, prefetch);
    }
}
