/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX2 and FMA. A register tile holds the dot products of 2 samples × 5 classes, with the features along
 * the lanes.
 *
 * Per 8 features a full tile loads 2 vectors of X and 5 of W for 10 FMAs: 5 cycles of FMAs at two per cycle (Haswell
 * and later, Zen 2 and later) against 3.5 cycles of loads at two per cycle. 10 accumulators cover the latency of 4 or
 * 5 cycles at two FMAs per cycle. With 2 registers for X and 1 for W they take 13 of 16. A tile of 3 × 4 would take all
 * 16 and split ten classes into 4, 3, 3.
 *
 * Trap: rows of W a multiple of 4 KiB apart fall on the same set of L1. They take 5 of its 8 lines (Haswell to Cascade
 * Lake, Zen to Zen 4), and two rows of X add to these. Packed weights hold 8 features of each of the five classes next
 * to each other, and so spread over all sets: 1.15 times as fast at d = 3072 (Zen 4).
 *
 * With unpacked weights, the first tile of classes meets X where it came from. If it has a load to spare, that is with 4
 * classes or more, it prefetches the next two rows into L2 at the features of the current ones: the scores of
 * 256 × 784 × 10 from memory are 1.4 times as fast, from L3 the same, from L2 up to 0.95 times (Zen 3). It does not if
 * rows of W fall on one set, where more lines of X would push them out.
 *
 * Tails: a smaller tile for the last sample, a masked load for the last features. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

enum { TILE_ROWS = 2, TILE_CLASSES = 5 };

/* Features per step of prefetch.h. */
enum { STEP = 2 * F32X8 };

/* Distance of rows that fall on one set of L1, in floats. */
enum { ONE_SET = 1024 };

/* Location of the weights of a tile. 8 features of class j are at w + j·class_step. The next 8
 * features are `step` floats later. */
struct weights {
    const float *w;
    size_t class_step, step;
};

/* Adds X Wᵀ over 8 features to the sums. */
DOWNHILL_INLINE void add_features(const enum element element, const int rows, const int classes,
                                  const void *const x_row[TILE_ROWS], struct weights w, size_t k,
                                  __m256 sum_f32x8[TILE_CLASSES][TILE_ROWS])
{
    __m256 x_f32x8[TILE_ROWS];
    for (int r = 0; r < rows; r++)
        x_f32x8[r] = features_x8(element, x_row[r], k);
    for (int j = 0; j < classes; j++) {
        const __m256 w_f32x8 = in_register_x8(_mm256_loadu_ps(w.w + (size_t)j * w.class_step));
        for (int r = 0; r < rows; r++)
            sum_f32x8[j][r] = _mm256_fmadd_ps(x_f32x8[r], w_f32x8, sum_f32x8[j][r]);
    }
}

/* next: TILE_ROWS rows to prefetch if *prefetch has none; NULL: none. */
DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const void *const *next, struct weights w,
                          float *scores, size_t lds, struct prefetch *prefetch)
{
    const void *x_row[TILE_ROWS];
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    __m256 sum_f32x8[TILE_CLASSES][TILE_ROWS];
    for (int j = 0; j < classes; j++)
        for (int r = 0; r < rows; r++)
            sum_f32x8[j][r] = _mm256_setzero_ps();

    size_t k = 0, steps = d / STEP;
    if (rows == TILE_ROWS && prefetch->left > 0) {
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        run.step_bytes /= STEP / F32X8; /* half a step each time: a branch would cost more */
        for (; k + F32X8 <= d; k += F32X8, w.w += w.step) {
            prefetch_step(&run);
            add_features(element, rows, classes, x_row, w, k, sum_f32x8);
        }
    } else if (rows == TILE_ROWS && classes >= 4 && next != NULL) {
        const char *line = next[0], *line_after = next[1]; /* the two rows in turn */
        for (; k + F32X8 <= d; k += F32X8, w.w += w.step) {
            _mm_prefetch(line, _MM_HINT_T1);
            const char *const following = line + STEP * element_bytes(element);
            line = line_after;
            line_after = following;
            add_features(element, rows, classes, x_row, w, k, sum_f32x8);
        }
    }
    for (; k + F32X8 <= d; k += F32X8, w.w += w.step)
        add_features(element, rows, classes, x_row, w, k, sum_f32x8);
    if (k < d) {
        const __m256i tail = first_lanes_x8(d - k);
        __m256 x_f32x8[TILE_ROWS];
        for (int r = 0; r < rows; r++)
            x_f32x8[r] = some_features_x8(element, d - k, x_row[r], k);
        for (int j = 0; j < classes; j++) {
            const __m256 w_f32x8 = _mm256_maskload_ps(w.w + (size_t)j * w.class_step, tail);
            for (int r = 0; r < rows; r++)
                sum_f32x8[j][r] = _mm256_fmadd_ps(x_f32x8[r], w_f32x8, sum_f32x8[j][r]);
        }
    }

    for (int r = 0; r < rows; r++) {
        float *scores_r = scores + (size_t)r * lds;
        if (classes >= 4)
            _mm_storeu_ps(scores_r, _mm_add_ps(_mm_loadu_ps(scores_r),
                                               sum_lanes_4(sum_f32x8[0][r], sum_f32x8[1][r],
                                                           sum_f32x8[2][r], sum_f32x8[3][r])));
        for (int j = classes / 4 * 4; j < classes; j++)
            scores_r[j] += sum_lanes_x8(sum_f32x8[j][r]);
    }
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int classes, size_t n,
                                     size_t d, const void *const *x, int prefetches,
                                     struct weights w, float *scores, size_t lds,
                                     struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= n; i += TILE_ROWS) {
        const int follow = prefetches && i + 2 * TILE_ROWS <= n;
        tile(element, TILE_ROWS, classes, d, x + i, follow ? x + i + TILE_ROWS : NULL, w,
             scores + i * lds, lds, prefetch);
    }
    if (i < n)
        tile(element, 1, classes, d, x + i, NULL, w, scores + i * lds, lds, prefetch);
}

DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, int prefetches, struct weights all,
                             float *scores, size_t lds, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_tile(c - j, TILE_CLASSES);
        const int follow = j == 0 && prefetches;
        const struct weights w = {all.w + j * all.class_step, all.class_step, all.step};
        float *scores_j = scores + j;
        switch (classes) {
        case 5:
            column_of_tiles(element, 5, n, d, x, follow, w, scores_j, lds, prefetch);
            break;
        case 4:
            column_of_tiles(element, 4, n, d, x, follow, w, scores_j, lds, prefetch);
            break;
        case 3:
            column_of_tiles(element, 3, n, d, x, follow, w, scores_j, lds, prefetch);
            break;
        case 2:
            column_of_tiles(element, 2, n, d, x, follow, w, scores_j, lds, prefetch);
            break;
        default:
            column_of_tiles(element, 1, n, d, x, follow, w, scores_j, lds, prefetch);
            break;
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, float *scores, size_t lds, struct prefetch *prefetch)
{
    const struct weights rows = {w, ldw, F32X8};
    columns(ELEMENT_F32, n, d, c, x, ldw % ONE_SET != 0, rows, scores, lds, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, float *scores, size_t lds, struct prefetch *prefetch)
{
    const struct weights rows = {w, ldw, F32X8};
    columns(ELEMENT_BF16, n, d, c, x, ldw % ONE_SET != 0, rows, scores, lds, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *packed, float *scores, size_t lds,
                                     struct prefetch *prefetch)
{
    const struct weights panel = {packed, F32X8, F32X8 * c};
    columns(ELEMENT_F32, n, d, c, x, 0, panel, scores, lds, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *packed, float *scores, size_t lds,
                                      struct prefetch *prefetch)
{
    const struct weights panel = {packed, F32X8, F32X8 * c};
    columns(ELEMENT_BF16, n, d, c, x, 0, panel, scores, lds, prefetch);
}
