/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AVX512-VNNI: four samples per instruction. VPDPBUSD multiplies the bytes of four samples by
 * their dscores of a class and adds the products.
 *
 * The tile of the first 5 classes interleaves four rows byte by byte, with 8 shuffles, and leaves a copy for the
 * others, as in grad_u8_avx512.c: rows that fall on a few sets of L1 would have to come from L2 again. Per four
 * samples a tile of 5 classes × 64 features loads 4 vectors of X and broadcasts four dscores 5 times, for 20
 * instructions of 64 products.
 *
 * Tail: masked loads and stores. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#include "grad/grad_u8.h"
#include "grad/grad_u8_quads.h"

enum { TILE_CLASSES = 5 };

/* Computes dw = dscoresᵀ X, or adds it to dw, for 64 features from feature k on. Unless `which` is OTHERS, it also
 * fills the column of interleaved rows. */
DOWNHILL_INLINE void tile(const int which, const int classes, size_t n, size_t d, size_t k,
                          const void *const *x, struct x_quads *column, const uint32_t *g,
                          unsigned flags, int32_t *dw, size_t lddw)
{
    const __mmask64 bytes = first_bytes_x64(d - k);
    __m512i sum_i32x16[TILE_CLASSES * X_QUADS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * X_QUADS; s++)
        sum_i32x16[s] = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i += QUAD, column++, g += F32X16) {
        if (which != OTHERS) {
            if (which == FIRST_FAR)
                prefetch_rows(QUAD, x + i, k);
            *column = interleaved_quads(bytes, k, x + i);
        }
        __m512i x_v[X_QUADS];
        DOWNHILL_UNROLL
        for (int v = 0; v < X_QUADS; v++)
            x_v[v] = in_register_i(column->of_x[v]);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512i g_j = in_register_i(_mm512_set1_epi32((int)g[j]));
            __m512i *sum = &sum_i32x16[j * X_QUADS];
            DOWNHILL_UNROLL
            for (int v = 0; v < X_QUADS; v++)
                sum[v] = in_register_i(_mm512_dpbusd_epi32(sum[v], x_v[v], g_j));
        }
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        put_quads_in_order(sum_i32x16 + j * X_QUADS, d - k, flags & GRAD_ACCUMULATE,
                           dw + (size_t)j * lddw + k);
}

DOWNHILL_INLINE void some_classes(const int which, size_t classes, size_t n, size_t d, size_t k,
                                  const void *const *x, struct x_quads *column, const uint32_t *g,
                                  unsigned flags, int32_t *dw, size_t lddw)
{
    switch (classes) {
    case 5:
        tile(which, 5, n, d, k, x, column, g, flags, dw, lddw);
        break;
    case 4:
        tile(which, 4, n, d, k, x, column, g, flags, dw, lddw);
        break;
    case 3:
        tile(which, 3, n, d, k, x, column, g, flags, dw, lddw);
        break;
    case 2:
        tile(which, 2, n, d, k, x, column, g, flags, dw, lddw);
        break;
    default:
        tile(which, 1, n, d, k, x, column, g, flags, dw, lddw);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_u8)(size_t n, size_t d, size_t c, const void *const *x,
                            const int16_t *dscores, size_t ldds, unsigned flags, int32_t *dw,
                            size_t lddw, int32_t *db)
{
    if (n == 1) {
        one_sample(d, c, x[0], dscores, flags, dw, lddw, db);
        return;
    }
    quads_of_block g;
    const int outliers = make_quads(n, c, dscores, ldds, g, db);
    struct x_quads column[QUADS_MAX];
    for (size_t k = 0; k < d; k += U8X64) {
        size_t classes = next_tile(c, TILE_CLASSES);
        if (flags & GRAD_PREFETCH_X)
            some_classes(FIRST_FAR, classes, n, d, k, x, column, (const uint32_t *)g, flags, dw,
                         lddw);
        else
            some_classes(FIRST, classes, n, d, k, x, column, (const uint32_t *)g, flags, dw, lddw);
        if (c > classes)
            some_classes(OTHERS, c - classes, n, d, k, x, column, (const uint32_t *)g + classes,
                         flags, dw + classes * lddw, lddw);
    }
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, ldds, dw, lddw, db);
}
