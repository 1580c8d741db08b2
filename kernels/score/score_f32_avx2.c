/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX2 and FMA. A register tile holds the dot products of a few samples and classes, with the features along
 * the lanes.
 *
 * Per 8 features a tile of 3 samples × 4 classes loads 3 vectors of X and 4 of W for 12 FMAs: 6 cycles of FMAs at two per
 * cycle (Haswell and later, Zen 2 and later) against 3.5 cycles of loads at two per cycle. 12 sums cover the latency of
 * 4 or 5 cycles at two FMAs per cycle; with 3 registers for X and 1 for W they take all 16. Tiles of 5 and 6 classes take
 * 2 samples. Six classes are then one tile, so that X is read once. Ten are 5 + 5: two passes over X instead of three.
 *
 * A dot product has 8 sums, one per lane, which a single chain of FMAs computes. Up to three classes are too few for that:
 * one sample would wait for the latency of one to three FMAs per 8 features. So they have 16 or 32 sums.
 *
 * Trap: rows of W a multiple of 4 KiB apart fall on the same set of L1. They take 4 to 6 of its 8 lines (Haswell to
 * Cascade Lake, Zen to Zen 4), and the rows of X add to these. Packed weights hold 8 features of each of the classes of a
 * tile next to each other, and so spread over all sets.
 *
 * With unpacked weights, the first tile of classes meets X where it came from. It prefetches two rows into L2 at the features
 * of the current ones, if it has loads to spare, that is with 4 classes or more: the scores of 256 × 784 × 10 from memory are
 * 1.4 times as fast, from L3 the same (Zen 3), those of 32 × 3072 × 10 from memory 1.7 times (Zen 5). With packed weights
 * every panel prefetches: steps of 256 × 3072 × 10 from memory take 0.73 of the time (Zen 5).
 *
 * Tails: smaller tiles for the last samples, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

/* Limits of a tile. Its number of sums is at most 12. */
enum { TILE_ROWS = 3, TILE_CLASSES = 6, SUM_VECTORS = 4 };

/* Rows are prefetched two tiles before their turn: one takes less than the latency of memory. */
enum { TILES_AHEAD = 2 };

/* Layout of the weights: class j at w + j·ldw, or packed for a tile, 8 features of each class after the other. */
enum layout { ROWS, PACKED };

/* Sums of a tile; sum [j][r][v] holds the features whose number modulo 8·vectors is in 8v … 8v+7. */
typedef __m256 tile_sums[TILE_CLASSES][TILE_ROWS][SUM_VECTORS];

/* Adds X Wᵀ over 8·vectors features to the sums, of which only the first `count` are there in a tail. The weights are at
 * w if packed, otherwise at feature k of their rows. */
DOWNHILL_INLINE void add_features(const enum element element, const enum layout layout,
                                  const int vectors, const int rows, const int classes,
                                  const int tail, size_t count, const void *const x_row[TILE_ROWS],
                                  const float *w, const float *const w_row[TILE_CLASSES], size_t k,
                                  tile_sums sum_f32x8)
{
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++) {
        const size_t at = F32X8 * (size_t)v, rest = count > at ? count - at : 0,
                     left = rest < F32X8 ? rest : F32X8;
        if (tail && left == 0)
            continue;
        const int partial = tail && left < F32X8;
        __m256 x_f32x8[TILE_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            x_f32x8[r] = partial ? some_features_x8(element, left, x_row[r], k + at)
                                 : features_x8(element, x_row[r], k + at);
            if (classes > 1)
                x_f32x8[r] = in_register_x8(x_f32x8[r]);
        }
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const float *w_j = layout == PACKED ? w + F32X8 * (v * classes + j) : w_row[j] + k + at;
            const __m256 w_f32x8 = in_register_x8(
                partial ? _mm256_maskload_ps(w_j, first_lanes_x8(left)) : _mm256_loadu_ps(w_j));
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++)
                sum_f32x8[j][r][v] = _mm256_fmadd_ps(x_f32x8[r], w_f32x8, sum_f32x8[j][r][v]);
        }
    }
}

/* Sets the scores of a tile: sums 16 features apart are added, then 8 apart, then as in
 * sum_lanes_x8(). */
DOWNHILL_INLINE void set_scores(const int vectors, const int rows, const int classes,
                                tile_sums sum_f32x8, struct scores scores)
{
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const struct scores s_r = scores_at(scores, (size_t)r, 0);
        __m256 sum[TILE_CLASSES];
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            __m256 *s = sum_f32x8[j][r];
            sum[j] = vectors == 4
                         ? _mm256_add_ps(_mm256_add_ps(s[0], s[2]), _mm256_add_ps(s[1], s[3]))
                     : vectors == 2 ? _mm256_add_ps(s[0], s[1])
                                    : s[0];
        }
        if (classes >= 4)
            _mm_storeu_ps(s_r.to, _mm_add_ps(_mm_loadu_ps(s_r.from),
                                             sum_lanes_4(sum[0], sum[1], sum[2], sum[3])));
        DOWNHILL_UNROLL
        for (int j = classes / 4 * 4; j < classes; j++)
            s_r.to[j] = s_r.from[j] + sum_lanes_x8(sum[j]);
    }
}

/* next: two rows to prefetch if *prefetch has none; NULL: none. */
DOWNHILL_INLINE void tile(const enum element element, const enum layout layout, const int vectors,
                          const int rows, const int classes, size_t d, const void *const *x,
                          const void *const *next, const float *w, size_t ldw, struct scores scores,
                          struct prefetch *prefetch)
{
    const size_t width = F32X8 * (size_t)vectors,
                 w_step = layout == PACKED ? width * (size_t)classes : 0;
    const void *x_row[TILE_ROWS];
    tile_sums sum_f32x8;
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    const float *w_row[TILE_CLASSES];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        w_row[j] = w + (size_t)j * ldw;
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++)
                sum_f32x8[j][r][v] = _mm256_setzero_ps();

    size_t k = 0, steps = d / (2 * F32X8); /* of prefetch.h */
    if (rows > 1 && prefetch->left > 0) {
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        if (vectors == 1)
            run.step_bytes /= 2; /* half a step each time: a branch would cost more */
        for (; k + width <= d; k += width, w += w_step) {
            for (int s = 0; s < (vectors + 1) / 2; s++)
                prefetch_step(&run);
            add_features(element, layout, vectors, rows, classes, 0, width, x_row, w, w_row, k,
                         sum_f32x8);
        }
    } else if (rows > 1 && classes >= 4 && next != NULL) {
        const char *line = next[0], *line_after = next[1]; /* the two rows in turn */
        for (; k + width <= d; k += width, w += w_step) {
            _mm_prefetch(line, _MM_HINT_T1);
            const char *const following = line + 2 * width * element_bytes(element);
            line = line_after;
            line_after = following;
            add_features(element, layout, vectors, rows, classes, 0, width, x_row, w, w_row, k,
                         sum_f32x8);
        }
    }
    for (; k + width <= d; k += width, w += w_step)
        add_features(element, layout, vectors, rows, classes, 0, width, x_row, w, w_row, k,
                     sum_f32x8);
    if (k < d)
        add_features(element, layout, vectors, rows, classes, 1, d - k, x_row, w, w_row, k,
                     sum_f32x8);
    set_scores(vectors, rows, classes, sum_f32x8, scores);
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const enum layout layout,
                                     const int vectors, const int rows, const int classes, size_t n,
                                     size_t d, const void *const *x, int prefetches, const float *w,
                                     size_t ldw, struct scores scores, struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + (size_t)rows <= n && !(rows == 3 && n - i == 4); i += (size_t)rows) {
        const int follow = prefetches && i + (TILES_AHEAD + 1) * (size_t)rows <= n;
        tile(element, layout, vectors, rows, classes, d, x + i,
             follow ? x + i + TILES_AHEAD * rows : NULL, w, ldw, scores_at(scores, i, 0), prefetch);
    }
    for (; rows > 2 && i + 2 <= n; i += 2) /* four rows are two tiles of two */
        tile(element, layout, vectors, 2, classes, d, x + i, NULL, w, ldw, scores_at(scores, i, 0),
             prefetch);
    if (i < n)
        tile(element, layout, vectors, 1, classes, d, x + i, NULL, w, ldw, scores_at(scores, i, 0),
             prefetch);
}

/* Returns the number of classes of the next tile. 4 classes have the best ratio of FMAs to loads; 5 and 6 save a pass over
 * X. The tiles have 3 or more classes if there are 4 or more. */
static inline size_t next_classes(size_t left)
{
    return left <= TILE_CLASSES ? left : left <= 10 ? (left + 1) / 2 : next_tile(left, 4);
}

/* One function per tile, out of line, so that the compiler allocates the registers of each loop for itself. In one
 * large function GCC keeps the pointers of some loops in memory. */
#define COLUMN_OF(name, element, layout, vectors, rows, classes)                                   \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(                                                    \
        size_t n, size_t d, const void *const *x, int prefetches, const float *w, size_t ldw,      \
        const struct scores *scores, struct prefetch *prefetch)                                    \
    {                                                                                              \
        column_of_tiles(element, layout, vectors, rows, classes, n, d, x, prefetches, w, ldw,      \
                        *scores, prefetch);                                                        \
    }

COLUMN_OF(few_f32_1, ELEMENT_F32, ROWS, 4, 2, 1)
COLUMN_OF(few_f32_2, ELEMENT_F32, ROWS, 2, 3, 2)
COLUMN_OF(few_f32_3, ELEMENT_F32, ROWS, 2, 2, 3)
COLUMN_OF(column_f32_3, ELEMENT_F32, ROWS, 1, 3, 3)
COLUMN_OF(column_f32_4, ELEMENT_F32, ROWS, 1, 3, 4)
COLUMN_OF(column_f32_5, ELEMENT_F32, ROWS, 1, 2, 5)
COLUMN_OF(column_f32_6, ELEMENT_F32, ROWS, 1, 2, 6)
COLUMN_OF(packed_f32_3, ELEMENT_F32, PACKED, 1, 3, 3)
COLUMN_OF(packed_f32_4, ELEMENT_F32, PACKED, 1, 3, 4)
COLUMN_OF(packed_f32_5, ELEMENT_F32, PACKED, 1, 2, 5)
COLUMN_OF(packed_f32_6, ELEMENT_F32, PACKED, 1, 2, 6)

COLUMN_OF(few_bf16_1, ELEMENT_BF16, ROWS, 4, 2, 1)
COLUMN_OF(few_bf16_2, ELEMENT_BF16, ROWS, 2, 3, 2)
COLUMN_OF(few_bf16_3, ELEMENT_BF16, ROWS, 2, 2, 3)
COLUMN_OF(column_bf16_3, ELEMENT_BF16, ROWS, 1, 3, 3)
COLUMN_OF(column_bf16_4, ELEMENT_BF16, ROWS, 1, 3, 4)
COLUMN_OF(column_bf16_5, ELEMENT_BF16, ROWS, 1, 2, 5)
COLUMN_OF(column_bf16_6, ELEMENT_BF16, ROWS, 1, 2, 6)
COLUMN_OF(packed_bf16_3, ELEMENT_BF16, PACKED, 1, 3, 3)
COLUMN_OF(packed_bf16_4, ELEMENT_BF16, PACKED, 1, 3, 4)
COLUMN_OF(packed_bf16_5, ELEMENT_BF16, PACKED, 1, 2, 5)
/* No packed_bf16_6: Clang 14 spills two vectors. */

typedef void column_kernel(size_t n, size_t d, const void *const *x, int prefetches, const float *w,
                           size_t ldw, const struct scores *scores, struct prefetch *prefetch);

/* By the number of classes: of 1 to 3 in all, and of a tile of 3 or more. */
static column_kernel *const few_f32[] = {few_f32_1, few_f32_2, few_f32_3};
static column_kernel *const few_bf16[] = {few_bf16_1, few_bf16_2, few_bf16_3};
static column_kernel *const column_f32[] = {column_f32_3, column_f32_4, column_f32_5, column_f32_6};
static column_kernel *const column_bf16[] = {column_bf16_3, column_bf16_4, column_bf16_5,
                                             column_bf16_6};
static column_kernel *const packed_f32[] = {packed_f32_3, packed_f32_4, packed_f32_5, packed_f32_6};
static column_kernel *const packed_bf16[] = {packed_bf16_3, packed_bf16_4, packed_bf16_5};

static inline void columns(column_kernel *const few[], column_kernel *const column[], size_t n,
                           size_t d, size_t c, const void *const *x, const float *w, size_t ldw,
                           const struct scores *scores, struct prefetch *prefetch)
{
    if (c < 4) {
        few[c - 1](n, d, x, 0, w, ldw, scores, prefetch);
        return;
    }
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_classes(c - j);
        const struct scores scores_j = scores_at(*scores, 0, j);
        column[classes - 3](n, d, x, j == 0, w + j * ldw, ldw, &scores_j, prefetch);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    columns(few_f32, column_f32, n, d, c, x, w, ldw, scores, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    columns(few_bf16, column_bf16, n, d, c, x, w, ldw, scores, prefetch);
}

/* A panel of packed weights is one tile, of 3 classes or more. */
DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *packed, const struct scores *scores,
                                     struct prefetch *prefetch)
{
    packed_f32[c - 3](n, d, x, 1, packed, 0, scores, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *packed, const struct scores *scores,
                                      struct prefetch *prefetch)
{
    packed_bf16[c - 3](n, d, x, 1, packed, 0, scores, prefetch);
}
