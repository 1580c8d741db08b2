/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AVX512-VNNI: four samples per instruction. VPDPBUSD multiplies the bytes
 * of four samples by their dscores of a class and adds the products.
 *
 * Per four samples a tile of 5 classes × 64 features loads 4 vectors of X, interleaves them byte by
 * byte with 8 shuffles, and broadcasts four dscores 5 times, for 20 instructions of 64 products.
 * The shuffles overlap with these on CPUs that have separate units for them (Zen 4). Keeping the
 * interleaved vectors for the other 5 of ten classes was 1.09 times slower there, because of the
 * stores.
 *
 * Tail: masked loads and stores. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#include "grad/grad_u8.h"
#include "grad/grad_u8_quads.h"

enum { TILE_CLASSES = 5 };

/* Computes dw = dscoresᵀ X, or adds it to dw, for 64 features from feature k on. */
DOWNHILL_INLINE void tile(const int classes, size_t n, size_t d, size_t k, const void *const *x,
                          const uint32_t *g, unsigned flags, int32_t *dw, size_t lddw,
                          struct prefetch *prefetch)
{
    const __mmask64 bytes = first_bytes_x64(d - k);
    __m512i sum_i32x16[TILE_CLASSES * X_QUADS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * X_QUADS; s++)
        sum_i32x16[s] = _mm512_setzero_si512();
    for (size_t i = 0; i < n;) {
        size_t steps = (n - i + QUAD - 1) / QUAD;
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        for (const size_t end = i + QUAD * steps; i < end; i += QUAD, g += F32X16) {
            prefetch_step(&run);
            const struct x_quads quads = interleaved_quads(bytes, k, x + i);
            DOWNHILL_UNROLL
            for (int j = 0; j < classes; j++) {
                const __m512i g_j = in_register_i(_mm512_set1_epi32((int)g[j]));
                __m512i *sum = &sum_i32x16[j * X_QUADS];
                DOWNHILL_UNROLL
                for (int v = 0; v < X_QUADS; v++)
                    sum[v] = in_register_i(_mm512_dpbusd_epi32(sum[v], quads.of_x[v], g_j));
            }
        }
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        put_quads_in_order(sum_i32x16 + j * X_QUADS, d - k, flags & GRAD_ACCUMULATE,
                           dw + (size_t)j * lddw + k);
}

DOWNHILL_INLINE void some_classes(size_t classes, size_t n, size_t d, size_t k,
                                  const void *const *x, const uint32_t *g, unsigned flags,
                                  int32_t *dw, size_t lddw, struct prefetch *prefetch)
{
    switch (classes) {
    case 5:
        tile(5, n, d, k, x, g, flags, dw, lddw, prefetch);
        break;
    case 4:
        tile(4, n, d, k, x, g, flags, dw, lddw, prefetch);
        break;
    case 3:
        tile(3, n, d, k, x, g, flags, dw, lddw, prefetch);
        break;
    case 2:
        tile(2, n, d, k, x, g, flags, dw, lddw, prefetch);
        break;
    default:
        tile(1, n, d, k, x, g, flags, dw, lddw, prefetch);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_u8)(size_t n, size_t d, size_t c, const void *const *x,
                            downhill_dscores dscores, unsigned flags, int32_t *dw, size_t lddw,
                            struct prefetch *prefetch)
{
    if (n == 1) {
        one_sample(d, c, x[0], dscores[0], flags, dw, lddw);
        return;
    }
    quads_of_block g;
    const int outliers = make_quads(n, dscores, g);
    for (size_t k = 0; k < d; k += U8X64)
        for (size_t j = 0, classes; j < c; j += classes) {
            classes = next_tile(c - j, TILE_CLASSES);
            some_classes(classes, n, d, k, x, (const uint32_t *)g + j, flags, dw + j * lddw, lddw,
                         prefetch);
        }
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, dw, lddw);
}
