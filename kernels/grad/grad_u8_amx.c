/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AMX-INT8. A tile holds up to 10 classes × 16 features of dW, and the samples are taken 64 at a
 * time.
 *
 * The dscores, one row of bytes per class, are operand A. X is operand B. It must be interleaved four rows at a time,
 * which takes the shuffles of grad_u8_avx512vnni.c and a copy. Four tiles of sums, 64 features together, are four
 * independent products of 16 cycles each, against a latency of 52 cycles. For 64 samples the products take 64 cycles.
 * The shuffles take 128 on the only port for them (Sapphire Rapids). This makes about 320 products per cycle, where two
 * VNNI units make 128. These figures are calculated, not measured: the kernel has only run under emulation.
 *
 * Fewer than 32 samples go to the kernel of the level below, avx512vnni. */
#define DOWNHILL_LEVEL_NAME amx
#include "grad/grad_u8.h"
#include "grad/grad_u8_quads.h"
#include "simd/amx.h"

enum {
    DEPTH = 64, /* samples per product */
    GROUPS_MAX = BLOCK_ROWS_MAX / DEPTH,
    QUADS = DEPTH / QUAD,
    N_MIN = DEPTH / 2
};

#define SUM_0 0
#define SUM_1 1
#define SUM_2 2
#define SUM_3 3
#define G     4
#define X     5

/* Dscores of a block. Per 64 samples, one row of bytes per class; zeros after the last sample. */
typedef __m512i dscores_of_block[GROUPS_MAX][PANEL_CLASSES];

/* Packs the dscores of a block as operand A and adds them to db unless it is NULL. Replaces outliers by 0 and returns
 * whether there are any. Byte by byte this would take as long as the tiles take for 784 features. */
DOWNHILL_INLINE int make_rows(size_t n, size_t c, const int16_t *dscores, size_t ldds,
                              dscores_of_block g, int32_t *db)
{
    quads_of_block quads;
    const int outliers = make_quads(n, c, dscores, ldds, quads, db);
    for (size_t first = 0; first < n; first += DEPTH) {
        __m512i row[QUADS];
        for (size_t q = 0; q < QUADS; q++)
            row[q] = first + QUAD * q < n ? quads[first / QUAD + q] : _mm512_setzero_si512();
        transpose_16x16(row);
        for (size_t j = 0; j < PANEL_CLASSES; j++)
            g[first / DEPTH][j] = row[j];
    }
    return outliers;
}

/* Interleaves 64 features of up to 64 samples as four operands, with zeros after the last sample. */
DOWNHILL_INLINE void interleave(size_t n, size_t k, __mmask64 bytes, const void *const *x,
                                unsigned flags, __m512i operand[X_QUADS][QUADS])
{
    for (size_t q = 0; q < QUADS; q++) {
        struct x_quads quads = {{_mm512_setzero_si512(), _mm512_setzero_si512(),
                                 _mm512_setzero_si512(), _mm512_setzero_si512()}};
        if (QUAD * q < n) {
            if (flags & GRAD_PREFETCH_X)
                prefetch_rows(QUAD, x + QUAD * q, k);
            quads = interleaved_quads(bytes, k, x + QUAD * q);
        }
        DOWNHILL_UNROLL
        for (int v = 0; v < X_QUADS; v++)
            _mm512_store_si512(&operand[v][q], quads.of_x[v]);
    }
    amx_stored(operand);
}

DOWNHILL_TARGET
static void features_64(size_t n, size_t c, size_t d, size_t k, const void *const *x,
                        dscores_of_block g, unsigned flags, int32_t *dw, size_t lddw)
{
    __m512i operand[X_QUADS][QUADS];
    _tile_zero(SUM_0);
    _tile_zero(SUM_1);
    _tile_zero(SUM_2);
    _tile_zero(SUM_3);
    for (size_t i = 0; i < n; i += DEPTH) {
        const size_t rows = n - i < DEPTH ? n - i : DEPTH;
        amx_load(G, g[i / DEPTH], TILE_ROW_BYTES);
        interleave(rows, k, first_bytes_x64(d - k), x + i, flags, operand);
        amx_load(X, operand[0], TILE_ROW_BYTES);
        _tile_dpbsud(SUM_0, G, X);
        amx_load(X, operand[1], TILE_ROW_BYTES);
        _tile_dpbsud(SUM_1, G, X);
        amx_load(X, operand[2], TILE_ROW_BYTES);
        _tile_dpbsud(SUM_2, G, X);
        amx_load(X, operand[3], TILE_ROW_BYTES);
        _tile_dpbsud(SUM_3, G, X);
    }
    __m512i sums[X_QUADS][PANEL_CLASSES];
    _tile_stored(SUM_0, sums[0], TILE_ROW_BYTES);
    _tile_stored(SUM_1, sums[1], TILE_ROW_BYTES);
    _tile_stored(SUM_2, sums[2], TILE_ROW_BYTES);
    _tile_stored(SUM_3, sums[3], TILE_ROW_BYTES);
    for (size_t j = 0; j < c; j++) {
        const __m512i class_sums[X_QUADS] = {sums[0][j], sums[1][j], sums[2][j], sums[3][j]};
        put_quads_in_order(class_sums, d - k, flags & GRAD_ACCUMULATE, dw + j * lddw + k);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_u8)(size_t n, size_t d, size_t c, const void *const *x,
                            const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                            size_t lddw, int32_t *db)
{
    if (n < N_MIN) {
        downhill_grad_u8_avx512vnni(n, d, c, x, dscores, ldds, flags, dw, lddw, db);
        return;
    }
    dscores_of_block g;
    const int outliers = make_rows(n, c, dscores, ldds, g, db);
    amx_stored(g);
    struct amx_shapes shapes = {0};
    for (int s = SUM_0; s <= SUM_3; s++)
        amx_shape(&shapes, s, c, TILE_ROW_BYTES);
    amx_shape(&shapes, G, c, DEPTH);
    amx_shape(&shapes, X, QUADS, TILE_ROW_BYTES);
    amx_begin(&shapes);
    for (size_t k = 0; k < d; k += U8X64)
        features_64(n, c, d, k, x, g, flags, dw, lddw);
    amx_end();
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, ldds, dw, lddw, db);
}
