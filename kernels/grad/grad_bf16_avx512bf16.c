/* SPDX-License-Identifier: MIT
 *
 * Gradient of bf16 features with AVX512-BF16: two samples per instruction. Their rows are interleaved feature by
 * feature and multiplied by a pair of dscores.
 *
 * Per two samples a tile of 10 classes × 32 features loads 2 vectors of X, interleaves them with 2 shuffles, and
 * broadcasts 10 pairs, for 20 instructions that do the work of 40 FMAs: 10 cycles at two per cycle (Zen 5) against 6
 * cycles of loads, and nothing is widened. That is twice the rate of f32.
 *
 * Trap: the dscores must fit bf16 exactly. Those of the hinge loss do, because they are small integers. Those of
 * softmax would need three terms each, which is 1.5 times as many instructions as the FMAs. They go to the kernel of
 * level avx512, and so does a single sample.
 *
 * It prefetches as grad_tile_avx512.h does, but not into L1 along the rows. Fewer classes take wider tiles; the last features
 * take masked loads and stores. */
#define DOWNHILL_LEVEL_NAME avx512bf16
#include "simd/avx512bf16.h"

enum { TILE_CLASSES = 10, TILE_VECTORS = 4, PAIR = 2, PAIRS_MAX = (BLOCK_ROWS_MAX + 1) / PAIR };

/* Pairs of bf16 dscores of one class, the earlier sample in the lower half. */
typedef uint32_t pairs_of_block[PAIRS_MAX][TILE_CLASSES];

DOWNHILL_TARGET
static void pair_up(size_t n, size_t classes, const float *dscores, size_t ldds,
                    pairs_of_block pairs)
{
    const __mmask16 lanes = first_lanes_x16(classes);
    for (size_t i = 0; i < n; i += PAIR) {
        const float *g = dscores + i * ldds;
        const __m512i g_0 = _mm512_maskz_loadu_epi32(lanes, g);
        const __m512i g_1 =
            i + 1 < n ? _mm512_maskz_loadu_epi32(lanes, g + ldds) : _mm512_setzero_si512();
        const __m512i pair = _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_srli_epi32(g_0, 16), g_1);
        _mm512_mask_storeu_epi32(pairs[i / PAIR], lanes, pair);
    }
}

/* Adds dscoresᵀ X of two samples, or of the last one, to the sums. In each 128-bit part p, even vectors hold features
 * 8p … 8p+3 and odd vectors 8p+4 … 8p+7. */
DOWNHILL_INLINE void add_pair(const int rows, const int classes, const int vectors,
                              const __mmask32 lanes, size_t k, const void *const *x,
                              const uint32_t *pairs, __m512 sum_f32x16[TILE_CLASSES * TILE_VECTORS])
{
    __m512i x_bf16x32[TILE_VECTORS];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v += 2) {
        const size_t at = k + F32X16 * (size_t)v;
        const __m512i x_0 = some_features_x32(lanes, x[0], at);
        const __m512i x_1 = rows > 1 ? some_features_x32(lanes, x[1], at) : _mm512_setzero_si512();
        x_bf16x32[v] = _mm512_unpacklo_epi16(x_0, x_1);
        x_bf16x32[v + 1] = _mm512_unpackhi_epi16(x_0, x_1);
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        const __m512i g_bf16x32 = _mm512_set1_epi32((int)pairs[j]);
        for (int v = 0; v < vectors; v++) {
            __m512 *sum = &sum_f32x16[j * vectors + v];
            *sum = add_products(*sum, g_bf16x32, x_bf16x32[v]);
        }
    }
}

/* Computes dW[0 … classes)[k … k + 16·vectors). In a tail `lanes` masks the vectors. */
DOWNHILL_INLINE void tile(const enum target target, const int classes, const int vectors,
                          const __mmask32 lanes, size_t n, size_t k, const void *const *x,
                          pairs_of_block pairs, unsigned flags, float *dw, size_t lddw,
                          struct prefetch *prefetch)
{
    __m512 sum_f32x16[TILE_CLASSES * TILE_VECTORS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * vectors; s++)
        sum_f32x16[s] = _mm512_setzero_ps();

    if (flags & GRAD_DW_FAR)
        fetch_dw(classes, vectors, dw + k, lddw);

    size_t i = 0;
    while (i + PAIR <= n) {
        size_t steps = (n - i) / PAIR;
        struct prefetch_run run =
            target == NEXT_BLOCK ? prefetch_take(prefetch, &steps) : prefetch_none(x);
        for (const size_t end = i + steps * PAIR; i < end; i += PAIR) {
            if (target == NEXT_BLOCK)
                prefetch_step(&run);
            for (int v = 0; target != NEXT_BLOCK && v < vectors; v += 2)
                for (size_t r = 0; r < PAIR; r++) {
                    const size_t at = k + F32X16 * (size_t)v + BF16X32 - 1;
                    if (target == AHEAD_L2)
                        _mm_prefetch((const uint16_t *)x[i + r] + at + F32X16 * (size_t)vectors,
                                     _MM_HINT_T1);
                    else
                        _mm_prefetch((const uint16_t *)x[i + PAIR + r] + at, _MM_HINT_T0);
                }
            add_pair(PAIR, classes, vectors, lanes, k, x + i, pairs[i / PAIR], sum_f32x16);
        }
    }
    if (i < n)
        add_pair(1, classes, vectors, lanes, k, x + i, pairs[i / PAIR], sum_f32x16);

    DOWNHILL_UNROLL
    for (int s = 0; s < classes * vectors; s += 2)
        put_in_order(sum_f32x16[s], sum_f32x16[s + 1], lanes, flags & GRAD_ACCUMULATE,
                     dw + (size_t)(s / vectors) * lddw + k + F32X16 * (size_t)(s % vectors));
}

DOWNHILL_INLINE void row_of_tiles(const enum target target, const int classes, const int vectors,
                                  size_t n, size_t d, const void *const *x, pairs_of_block pairs,
                                  unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    const size_t width = F32X16 * (size_t)vectors;
    size_t k = 0;
    for (; k + width <= d; k += width)
        tile(target, classes, vectors, 0xFFFFFFFF, n, k, x, pairs, flags, dw, lddw, prefetch);
    for (; k < d; k += BF16X32)
        tile(target, classes, 2, first_lanes_x32(d - k), n, k, x, pairs, flags, dw, lddw, prefetch);
}

DOWNHILL_INLINE void tiles(const enum target target, size_t n, size_t d, size_t classes,
                           const void *const *x, pairs_of_block pairs, unsigned flags, float *dw,
                           size_t lddw, struct prefetch *prefetch)
{
    switch (classes) {
    case 10:
        row_of_tiles(target, 10, 2, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 9:
        row_of_tiles(target, 9, 2, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 8:
        row_of_tiles(target, 8, 2, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 7:
        row_of_tiles(target, 7, 2, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 6:
        row_of_tiles(target, 6, 2, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 5:
        row_of_tiles(target, 5, 4, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 4:
        row_of_tiles(target, 4, 4, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 3:
        row_of_tiles(target, 3, 4, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    case 2:
        row_of_tiles(target, 2, 4, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    default:
        row_of_tiles(target, 1, 4, n, d, x, pairs, flags, dw, lddw, prefetch);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        pairs_of_block pairs;
        classes = next_tile(c - j, TILE_CLASSES);
        const float *ds = dscores + j;
        float *dwj = dw + j * lddw;
        if (n == 1 || !fit_bf16(n, classes, ds, ldds)) {
            downhill_grad_bf16_avx512(n, d, classes, x, ds, ldds, flags, dwj, lddw, prefetch);
            continue;
        }
        pair_up(n, classes, ds, ldds, pairs);
        if (prefetch->left > 0)
            tiles(NEXT_BLOCK, n, d, classes, x, pairs, flags, dwj, lddw, prefetch);
        else if (flags & GRAD_PREFETCH_X)
            tiles(AHEAD_L2, n, d, classes, x, pairs, flags, dwj, lddw, prefetch);
        else
            tiles(NEXT_ROWS, n, d, classes, x, pairs, flags, dwj, lddw, prefetch);
    }
}
