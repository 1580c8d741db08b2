/* SPDX-License-Identifier: MIT
 *
 * Gradient with AVX2 and FMA: one outer product per sample, with the features along the lanes. A register tile holds up
 * to 6 classes × 16 features of dW.
 *
 * Per sample a tile of 5 classes loads 2 vectors of X and a row pointer and broadcasts 5 dscores, for 10 FMAs: 5 cycles
 * of FMAs at two per cycle against 4 cycles of loads at two per cycle. With 6 classes, 12 sums, 2 vectors of X and 1
 * broadcast take 15 of 16 registers. One to three classes have loops of their own (grad_rows_f32_avx2.c)
 * if there are enough features.
 *
 * Trap: ten classes are two tiles over the same features, and the second must find in L1 what the first read from L2.
 * Rows a multiple of 4 KiB apart all fall on one set of 8 or 12 lines, so only 8 such rows are taken at a time. With 32
 * the loop ran at 0.6 of its speed. Taking 8 costs 10 loads and stores of dW per 80 FMAs. The FMAs hide these if dW is
 * in a near cache.
 *
 * Tail: the last features take single vectors, the last of them with masked loads and partial stores. */
#define DOWNHILL_LEVEL_NAME avx2
#include "grad/grad_tile_avx2.h"

/* Features of one sample that stay in L1, 16 KiB, and vectors at a time. */
enum { ONE_FEATURES = 4096, ONE_VECTORS = 8 };

/* Where a tile prefetches: nowhere, in the next block of rows (prefetch.h), or further along its own rows. The rows are
 * read side by side, more than the hardware follows. Three lines ahead make the gradient from memory 1.1 (d = 3072) to
 * 1.5 (d = 784) times as fast, from L3 up to 1.1. In L2 they cost nothing (Zen 3). */
enum target { NOTHING, NEXT_BLOCK, AHEAD };
enum { LINES_AHEAD = 3 };

/* Samples and features taken at a time: 8 rows of 2 KiB stay in L1 beside 10 rows of dW of 2 KiB. */
enum { ROWS = 32, ROWS_ON_ONE_SET = 8, FEATURES = 512 };

DOWNHILL_INLINE void tile(const enum element element, const enum target target, const int classes,
                          const int vectors, size_t n, size_t k, const void *const *x,
                          const float *dscores, size_t ldds, unsigned flags, float *dw, size_t lddw,
                          struct prefetch *prefetch)
{
    __m256 sum_f32x8[TILE_CLASSES][TILE_VECTORS];
    load_sums(classes, vectors, (flags & GRAD_ACCUMULATE) != 0, k, dw, lddw, sum_f32x8);

    const size_t lines =
        (F32X8 * (size_t)vectors * element_bytes(element) + LINE_BYTES - 1) / LINE_BYTES;
    if (target == NEXT_BLOCK) {
        size_t steps = n / PREFETCH_ROWS;
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        for (size_t s = 0; s < steps; s++)
            prefetch_step(&run);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t line = 0; target == AHEAD && line < lines; line++)
            _mm_prefetch((const char *)feature_at(element, x[i], k) +
                             (LINES_AHEAD + line) * LINE_BYTES,
                         _MM_HINT_T0);
        add_row(element, classes, vectors, x[i], k, dscores + i * ldds, sum_f32x8);
    }
    store_sums(classes, vectors, sum_f32x8, k, dw, lddw);
}

DOWNHILL_INLINE void tail_tile(const enum element element, const int classes, size_t count,
                               size_t n, size_t k, const void *const *x, const float *dscores,
                               size_t ldds, unsigned flags, float *dw, size_t lddw)
{
    const __m256i lanes = first_lanes_x8(count);
    const __m256i before = (flags & GRAD_ACCUMULATE) ? lanes : _mm256_setzero_si256();
    __m256 sum_f32x8[TILE_CLASSES];
    for (int j = 0; j < classes; j++)
        sum_f32x8[j] = _mm256_maskload_ps(dw + (size_t)j * lddw + k, before);
    for (size_t i = 0; i < n; i++) {
        const __m256 x_f32x8 = some_features_x8(element, count, x[i], k);
        for (int j = 0; j < classes; j++)
            sum_f32x8[j] = _mm256_fmadd_ps(_mm256_broadcast_ss(dscores + i * ldds + (size_t)j),
                                           x_f32x8, sum_f32x8[j]);
    }
    for (int j = 0; j < classes; j++)
        store_some_x8(dw + (size_t)j * lddw + k, count, sum_f32x8[j]);
}

DOWNHILL_INLINE void row_of_tiles(const enum element element, const enum target target,
                                  const int classes, const int vectors, size_t n, size_t d,
                                  const void *const *x, const float *dscores, size_t ldds,
                                  unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    const size_t width = F32X8 * (size_t)vectors;
    size_t k = 0;
    for (; k + width <= d; k += width)
        tile(element, target, classes, vectors, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    for (; k + F32X8 <= d; k += F32X8)
        tile(element, target, classes, 1, n, k, x, dscores, ldds, flags, dw, lddw, prefetch);
    if (k < d)
        tail_tile(element, classes, d - k, n, k, x, dscores, ldds, flags, dw, lddw);
}

/* A tile has one or two classes only if there are no more and few features. */
DOWNHILL_INLINE void row_of_tiles_of(const enum element element, const enum target target,
                                     size_t classes, size_t n, size_t d, const void *const *x,
                                     const float *dscores, size_t ldds, unsigned flags, float *dw,
                                     size_t lddw, struct prefetch *prefetch)
{
    switch (classes) {
    case 6:
        row_of_tiles(element, target, 6, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 5:
        row_of_tiles(element, target, 5, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 4:
        row_of_tiles(element, target, 4, 2, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 3:
        row_of_tiles(element, target, 3, 3, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    case 2:
        row_of_tiles(element, target, 2, 1, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    default:
        row_of_tiles(element, target, 1, 1, n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
        break;
    }
}

/* Only the first tile of classes meets X where it came from; it leaves X in L1 or L2. */
DOWNHILL_INLINE void sub_block(const enum element element, const enum target target, size_t n,
                               size_t d, size_t c, const void *const *x, const float *dscores,
                               size_t ldds, unsigned flags, float *dw, size_t lddw,
                               struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        if (target == AHEAD && j == 0)
            row_of_tiles_of(element, AHEAD, classes, n, d, x, dscores, ldds, flags, dw, lddw,
                            prefetch);
        else
            row_of_tiles_of(element, target == AHEAD ? NOTHING : target, classes, n, d, x,
                            dscores + j, ldds, flags, dw + j * lddw, lddw, prefetch);
    }
}

DOWNHILL_INLINE void tiles(const enum element element, const enum target target, size_t n, size_t d,
                           size_t c, const void *const *x, const float *dscores, size_t ldds,
                           unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch)
{
    const bool one_set = n > 1 && (((uintptr_t)x[0] ^ (uintptr_t)x[1]) & 4095) == 0;
    const size_t rows_max = one_set ? ROWS_ON_ONE_SET : ROWS;
    for (size_t i = 0, rows; i < n; i += rows) {
        rows = n - i < rows_max ? n - i : rows_max;
        const void *x_k[ROWS];
        for (size_t k = 0; k < d; k += FEATURES) {
            for (size_t r = 0; r < rows; r++)
                x_k[r] = feature_at(element, x[i + r], k);
            sub_block(element, target, rows, d - k < FEATURES ? d - k : FEATURES, c, x_k,
                      dscores + i * ldds, ldds, i > 0 ? flags | GRAD_ACCUMULATE : flags, dw + k,
                      lddw, prefetch);
        }
    }
}

/* Adds one sample to 8 features of a row of dW. */
DOWNHILL_INLINE void add_to_row(const enum element element, const int accumulate, __m256 g_f32x8,
                                const void *x, size_t k, float *row)
{
    const __m256 sum = accumulate ? _mm256_loadu_ps(row + k) : _mm256_setzero_ps();
    _mm256_storeu_ps(row + k, _mm256_fmadd_ps(g_f32x8, features_x8(element, x, k), sum));
}

/* Computes the gradient of one sample. Its time is that of writing dW once, a row at a time. The features are loaded again for
 * each class, from L1. */
DOWNHILL_INLINE void one_sample(const enum element element, const int accumulate, size_t d,
                                size_t c, const void *x, const float *dscores, unsigned flags,
                                float *dw, size_t lddw)
{
    for (size_t first = 0, end; first < d; first = end) {
        end = d - first < ONE_FEATURES ? d : first + ONE_FEATURES;
        for (size_t j = 0; j < c; j++) {
            const __m256 g_f32x8 = _mm256_broadcast_ss(dscores + j);
            float *row = dw + j * lddw;
            size_t k = first;
            for (; k + F32X8 * ONE_VECTORS <= end; k += F32X8 * ONE_VECTORS) {
                DOWNHILL_UNROLL
                for (size_t v = 0; v < ONE_VECTORS; v++)
                    add_to_row(element, accumulate, g_f32x8, x, k + F32X8 * v, row);
            }
            for (; k + F32X8 <= end; k += F32X8)
                add_to_row(element, accumulate, g_f32x8, x, k, row);
            if (k < end)
                tail_tile(element, 1, end - k, 1, k, &x, dscores + j, 1, flags, row, lddw);
        }
    }
}

/* Compiles the loops once per target, so that the copy without prefetching has no instructions for it. */
DOWNHILL_INLINE void grad(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *dscores, size_t ldds, unsigned flags,
                          float *dw, size_t lddw, struct prefetch *prefetch)
{
    if (n == 1 && (flags & GRAD_ACCUMULATE))
        one_sample(element, 1, d, c, x[0], dscores, flags, dw, lddw);
    else if (n == 1)
        one_sample(element, 0, d, c, x[0], dscores, flags, dw, lddw);
    else if (prefetch->left > 0)
        tiles(element, NEXT_BLOCK, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else if (flags & GRAD_PREFETCH_X)
        tiles(element, AHEAD, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
    else
        tiles(element, NOTHING, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_f32)(size_t n, size_t d, size_t c, const void *const *x,
                             const float *dscores, size_t ldds, unsigned flags, float *dw,
                             size_t lddw, struct prefetch *prefetch)
{
    grad(ELEMENT_F32, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                              const float *dscores, size_t ldds, unsigned flags, float *dw,
                              size_t lddw, struct prefetch *prefetch)
{
    grad(ELEMENT_BF16, n, d, c, x, dscores, ldds, flags, dw, lddw, prefetch);
}
