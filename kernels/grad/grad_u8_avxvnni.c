/* SPDX-License-Identifier: MIT
 *
 * Gradient of bytes with AVX-VNNI: four samples per VPDPBUSD, which makes 32 products, as in
 * grad_u8_avx512vnni.c.
 *
 * A tile takes 5 classes × 16 features, the lower or the upper 8 of each 128-bit part. Per four
 * samples it loads 2 vectors of the interleaved X and broadcasts four dscores 5 times, for 10
 * VPDPBUSD. It takes 13 of the 16 registers.
 *
 * Tail: the last 32 features are summed once more, and only the sums of the tail are used. Rows
 * of fewer features are copied and padded with zeros. */
#define DOWNHILL_LEVEL_NAME avxvnni
#define DOWNHILL_VNNI
#include "grad/grad_u8.h"
#include "grad/grad_u8_dscores.h"
#include "simd/avx2_u8.h"

enum {
    TILE_CLASSES = 5,
    VECTORS = 2,
    HALVES = 2,
    QUAD = 4,
    QUADS_MAX = BLOCK_ROWS_MAX / QUAD,
    G_MAX = 127
};

/* Dscores of four samples as bytes, the first sample in the lowest byte, for each class. */
typedef __m256i quads_of_block[QUADS_MAX][2];

/* Packs the dscores of a block and adds them to db unless it is NULL. Replaces outliers by 0 and returns whether there
 * are any. */
DOWNHILL_TARGET
static int make_quads(size_t n, size_t c, const int16_t *dscores, size_t ldds, quads_of_block quads,
                      int32_t *db)
{
    const struct dscore_lanes lanes = dscore_lanes_of(c);
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i low_sum = _mm256_setzero_si256(), high_sum = _mm256_setzero_si256();
    __m256i outliers = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += QUAD) {
        __m256i g[QUAD];
        DOWNHILL_UNROLL
        for (size_t r = 0; r < QUAD; r++) {
            g[r] = i + r < n ? load_inliers(lanes, c, dscores + (i + r) * ldds, G_MAX, &outliers)
                             : _mm256_setzero_si256();
            g[r] = _mm256_and_si256(g[r], _mm256_set1_epi16(UINT8_MAX));
        }
        const __m256i pair_01 = _mm256_or_si256(g[0], _mm256_slli_epi16(g[1], 8));
        const __m256i pair_23 = _mm256_or_si256(g[2], _mm256_slli_epi16(g[3], 8));
        const __m256i low = _mm256_unpacklo_epi16(pair_01, pair_23);
        const __m256i high = _mm256_unpackhi_epi16(pair_01, pair_23);
        low_sum = DOWNHILL_DPBUSD(low_sum, ones, low);
        high_sum = DOWNHILL_DPBUSD(high_sum, ones, high);
        _mm256_store_si256(&quads[i / QUAD][0], _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_store_si256(&quads[i / QUAD][1], _mm256_permute2x128_si256(low, high, 0x31));
    }
    if (db != NULL)
        add_bias_sums(low_sum, high_sum, c, db);
    return !_mm256_testz_si256(outliers, outliers);
}

/* Half of a column of a block: interleaved bytes per four rows. In both 128-bit parts p, the
 * first vector holds features 16p … 16p+3 and the second 16p+4 … 16p+7. The other half holds the
 * features 8 positions later. */
typedef __m256i half_column[QUADS_MAX][VECTORS];

DOWNHILL_INLINE void interleave(size_t n, size_t k, const void *const *x, unsigned flags,
                                half_column to[HALVES])
{
    for (size_t i = 0; i < n; i += QUAD) {
        if (flags & GRAD_PREFETCH_X)
            prefetch_rows(QUAD, x + i, k);
        __m256i row[QUAD];
        DOWNHILL_UNROLL
        for (size_t r = 0; r < QUAD; r++)
            row[r] = load_i((const uint8_t *)x[i + r] + k);
        const __m256i low_01 = _mm256_unpacklo_epi8(row[0], row[1]);
        const __m256i high_01 = _mm256_unpackhi_epi8(row[0], row[1]);
        const __m256i low_23 = _mm256_unpacklo_epi8(row[2], row[3]);
        const __m256i high_23 = _mm256_unpackhi_epi8(row[2], row[3]);
        _mm256_store_si256(&to[0][i / QUAD][0], _mm256_unpacklo_epi16(low_01, low_23));
        _mm256_store_si256(&to[0][i / QUAD][1], _mm256_unpackhi_epi16(low_01, low_23));
        _mm256_store_si256(&to[1][i / QUAD][0], _mm256_unpacklo_epi16(high_01, high_23));
        _mm256_store_si256(&to[1][i / QUAD][1], _mm256_unpackhi_epi16(high_01, high_23));
    }
}

/* Stores the sums of 16 features in their order, or adds them to dw. In both 128-bit parts p, sum[0] holds features
 * 16p … 16p+3 and sum[1] 16p+4 … 16p+7. */
DOWNHILL_INLINE void put_in_order(const __m256i sum[VECTORS], unsigned accumulate, int32_t *dw)
{
    const __m256i zero = _mm256_setzero_si256();
    const __m256i part_0 = _mm256_permute2x128_si256(sum[0], sum[1], 0x20);
    const __m256i part_1 = _mm256_permute2x128_si256(sum[0], sum[1], 0x31);
    store_i(dw, _mm256_add_epi32(accumulate ? load_i(dw) : zero, part_0));
    store_i(dw + I16X16, _mm256_add_epi32(accumulate ? load_i(dw + I16X16) : zero, part_1));
}

/* Computes dw = dscoresᵀ X, or adds it to dw, for 16 of 32 features. */
DOWNHILL_INLINE void tile(const int classes, size_t n, half_column x, const uint32_t *quads,
                          unsigned accumulate, int32_t *dw, size_t lddw)
{
    __m256i sum_i32x8[TILE_CLASSES * VECTORS];
    DOWNHILL_UNROLL
    for (int s = 0; s < classes * VECTORS; s++)
        sum_i32x8[s] = _mm256_setzero_si256();
    const size_t n_quads = (n + QUAD - 1) / QUAD;
    for (size_t i = 0; i < n_quads; i++, quads += I16X16) {
        const __m256i low = in_register_i(x[i][0]), high = in_register_i(x[i][1]);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m256i g = in_register_i(_mm256_set1_epi32((int)quads[j]));
            __m256i *sum = &sum_i32x8[j * VECTORS];
            sum[0] = in_register_i(DOWNHILL_DPBUSD(sum[0], low, g));
            sum[1] = in_register_i(DOWNHILL_DPBUSD(sum[1], high, g));
        }
    }
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        put_in_order(sum_i32x8 + j * VECTORS, accumulate, dw + (size_t)j * lddw);
}

/* Computes both halves of 32 features. */
DOWNHILL_INLINE void tiles(size_t n, size_t c, half_column x[HALVES], const uint32_t *quads,
                           unsigned accumulate, int32_t *dw, size_t lddw)
{
    for (size_t h = 0; h < HALVES; h++, dw += F32X8)
        for (size_t j = 0, classes; j < c; j += classes) {
            const uint32_t *q = quads + j;
            int32_t *dwj = dw + j * lddw;
            classes = next_tile(c - j, TILE_CLASSES);
            switch (classes) {
            case 5:
                tile(5, n, x[h], q, accumulate, dwj, lddw);
                break;
            case 4:
                tile(4, n, x[h], q, accumulate, dwj, lddw);
                break;
            case 3:
                tile(3, n, x[h], q, accumulate, dwj, lddw);
                break;
            case 2:
                tile(2, n, x[h], q, accumulate, dwj, lddw);
                break;
            default:
                tile(1, n, x[h], q, accumulate, dwj, lddw);
                break;
            }
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
    quads_of_block quads;
    half_column interleaved[HALVES];
    const unsigned accumulate = flags & GRAD_ACCUMULATE;
    const int outliers = make_quads(n, c, dscores, ldds, quads, db);
    size_t k = 0;
    for (; k + U8X32 <= d; k += U8X32) {
        interleave(n, k, x, flags, interleaved);
        tiles(n, c, interleaved, (const uint32_t *)quads, accumulate, dw + k, lddw);
    }
    if (k < d) {
        int32_t sums[PANEL_CLASSES][U8X32];
        struct short_rows rows;
        const size_t first = d < U8X32 ? 0 : d - U8X32;
        if (d < U8X32)
            copy_short_rows(n, d, x, &rows);
        interleave(n, first, d < U8X32 ? rows.x : x, 0, interleaved);
        tiles(n, c, interleaved, (const uint32_t *)quads, 0, sums[0], U8X32);
        add_last_sums(sums, k - first, d - k, c, accumulate, dw + k, lddw);
    }
    if (outliers)
        add_outliers(G_MAX, n, d, c, x, dscores, ldds, dw, lddw, db);
}
