/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F and packed weights. A register tile holds the dot products of 4 samples × up to 10 classes, with
 * the features along the lanes. Each line of X is read once.
 *
 * As in score_f32_avx512.c a dot product has 8 sums. A vector holds those of two classes, which are neighbours in packed
 * weights. Per 8 features a tile of 4 × 10 broadcasts 4 halves of X and loads 5 vectors of W for 20 FMAs: 10 cycles of
 * FMAs at two per cycle against 4.5 cycles of loads. Six classes or fewer share each load of W among 8
 * samples.
 *
 * A tile of 4 samples prefetches the next 4 rows into L2, at the features it is working on, unless the driver has rows to
 * prefetch: from memory 256 × 784 × 10 takes 0.57 of the time, 20000 × 3072 × 10 0.65, from L3 256 × 3000 × 10 0.87, from L2
 * 0.98 (Zen 5). Tiles of 8 samples have too few FMAs per line to hide prefetches: without any 256 × 784 × 4 takes 0.8 to 0.86
 * of the time from L2 and 0.9 from memory.
 *
 * Trap: rows of W a multiple of 4 KiB apart would all fall on one set of L1. Packed vectors are adjacent: they need one
 * pointer and fall on different sets.
 *
 * Tails: the last samples one at a time. In f32 the last features of X are loaded together with those before them and moved to
 * the front; in bf16, and in rows of fewer than 8 features, they take a masked load. Packed weights end in zeros. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { ROWS_MAX = 8, VECTORS_MAX = 5 };

/* Adds X Wᵀ over 8 features to the sums, or over those of a tail: the given one, or the first lanes of a short row. */
DOWNHILL_INLINE void add_features(const enum element element, const int rows, const int classes,
                                  __mmask8 lanes, const struct tail *tail,
                                  const void *const x_row[ROWS_MAX], const float *w, size_t k,
                                  __m512 sum_f32x16[ROWS_MAX][VECTORS_MAX])
{
    __m512 w_f32x16[VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int q = 0; q < (classes + 1) / 2; q++) {
        const __mmask16 there = 2 * q + 1 < classes ? 0xFFFF : 0x00FF;
        w_f32x16[q] = in_register_x16(_mm512_maskz_loadu_ps(there, w + F32X16 * q));
    }
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        const __m512 x_f32x16 = in_register_x16(
            tail != NULL ? moved_to_front(tail, features_twice(element, ALL_LANES_X8, x_row[r],
                                                               k - tail->back))
                         : features_twice(element, lanes, x_row[r], k));
        DOWNHILL_UNROLL
        for (int q = 0; q < (classes + 1) / 2; q++)
            sum_f32x16[r][q] = _mm512_fmadd_ps(x_f32x16, w_f32x16[q], sum_f32x16[r][q]);
    }
}

/* Returns the horizontal sums of eight vectors of two classes each, in order. */
DOWNHILL_INLINE __m512 sums_of_8(const __m512 v[8])
{
    /* Per four vectors the even classes in one part and the odd ones in the next. */
    const __m512 sums =
        parts_added(sum_parts(v[0], v[1], v[2], v[3]), sum_parts(v[4], v[5], v[6], v[7]));
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15), sums);
}

/* Sets the scores of four samples for 4 classes. */
DOWNHILL_INLINE void set_4_classes(__m512 sum_f32x16[4][VECTORS_MAX], struct scores scores)
{
    __m512 v[8];
    DOWNHILL_UNROLL
    for (int q = 0; q < 8; q++)
        v[q] = sum_f32x16[q / 2][q % 2];
    const __m512 sums = sums_of_8(v);
    set_some_x4(scores, 0xF, _mm512_castps512_ps128(sums));
    set_some_x4(scores_at(scores, 1, 0), 0xF, _mm512_extractf32x4_ps(sums, 1));
    set_some_x4(scores_at(scores, 2, 0), 0xF, _mm512_extractf32x4_ps(sums, 2));
    set_some_x4(scores_at(scores, 3, 0), 0xF, _mm512_extractf32x4_ps(sums, 3));
}

/* Sets the scores of two samples for up to 8 classes. */
DOWNHILL_INLINE void set_8_classes(const int classes, __m512 sum_f32x16[2][VECTORS_MAX],
                                   struct scores scores)
{
    __m512 v[8];
    DOWNHILL_UNROLL
    for (int q = 0; q < 8; q++)
        v[q] = q % 4 * 2 < classes ? sum_f32x16[q / 4][q % 4] : _mm512_setzero_ps();
    const __m512 sums = sums_of_8(v);
    const __mmask8 lanes = (__mmask8)first_lanes_x16((size_t)classes);
    set_some_x8(scores, lanes, _mm512_castps512_ps256(sums));
    set_some_x8(scores_at(scores, 1, 0), lanes, _mm512_extractf32x8_ps(sums, 1));
}

/* Sets the scores of four samples for one or two more classes. */
DOWNHILL_INLINE void set_last_classes(const int classes, __m512 sum_f32x16[ROWS_MAX][VECTORS_MAX],
                                      struct scores scores)
{
    const __m512 sums = sum_halves(
        sum_parts(sum_f32x16[0][4], sum_f32x16[1][4], sum_f32x16[2][4], sum_f32x16[3][4]));
    const __m128 even = _mm512_castps512_ps128(sums), odd = _mm512_extractf32x4_ps(sums, 2),
                 rows_01 = _mm_unpacklo_ps(even, odd), rows_23 = _mm_unpackhi_ps(even, odd);
    const __mmask8 lanes = classes > 9 ? 3 : 1;
    set_some_x4(scores, lanes, rows_01);
    set_some_x4(scores_at(scores, 1, 0), lanes, _mm_movehl_ps(rows_01, rows_01));
    set_some_x4(scores_at(scores, 2, 0), lanes, rows_23);
    set_some_x4(scores_at(scores, 3, 0), lanes, _mm_movehl_ps(rows_23, rows_23));
}

/* Sets the scores of `rows` samples. next: rows to prefetch into L2 if *prefetch has none; NULL: none. */
DOWNHILL_INLINE void tile(const enum element element, const int rows, const int classes, size_t d,
                          const void *const *x, const void *const *next, const float *w,
                          struct scores scores, struct prefetch *prefetch)
{
    const void *x_row[ROWS_MAX];
    __m512 sum_f32x16[ROWS_MAX][VECTORS_MAX];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++) {
        x_row[r] = x[r];
        for (int q = 0; q < (classes + 1) / 2; q++)
            sum_f32x16[r][q] = _mm512_setzero_ps();
    }

    size_t k = 0, steps = d / F32X8;
    if (rows > 1 && prefetch->left > 0) {
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        for (; k + F32X8 <= d; k += F32X8, w += F32X8 * classes) {
            prefetch_step(&run);
            add_features(element, rows, classes, ALL_LANES_X8, NULL, x_row, w, k, sum_f32x16);
        }
    } else if (rows > 1 && next != NULL) {
        for (; k + 2 * F32X8 <= d; k += 2 * F32X8, w += 2 * F32X8 * classes) {
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++)
                _mm_prefetch(feature_at(element, next[r], k), _MM_HINT_T1);
            add_features(element, rows, classes, ALL_LANES_X8, NULL, x_row, w, k, sum_f32x16);
            add_features(element, rows, classes, ALL_LANES_X8, NULL, x_row, w + F32X8 * classes,
                         k + F32X8, sum_f32x16);
        }
    }
    for (; k + F32X8 <= d; k += F32X8, w += F32X8 * classes)
        add_features(element, rows, classes, ALL_LANES_X8, NULL, x_row, w, k, sum_f32x16);
    if (element == ELEMENT_F32 && k < d && k > 0) {
        const struct tail tail = tail_x8_of(d);
        add_features(element, rows, classes, ALL_LANES_X8, &tail, x_row, w, k, sum_f32x16);
    } else if (k < d) {
        add_features(element, rows, classes, first_lanes_of_8(d - k), NULL, x_row, w, k,
                     sum_f32x16);
    }
    if (rows == 1) {
        set_pairs_of_classes(classes, sum_f32x16[0], scores);
        return;
    }
    if (classes == 4) {
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r += 4)
            set_4_classes(sum_f32x16 + r, scores_at(scores, (size_t)r, 0));
        return;
    }
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r += 2)
        set_8_classes(classes, sum_f32x16 + r, scores_at(scores, (size_t)r, 0));
    if (classes > 8)
        set_last_classes(classes, sum_f32x16, scores_at(scores, 0, 8));
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int rows, const int classes,
                                     size_t n, size_t d, const void *const *x, const float *w,
                                     struct scores scores, struct prefetch *prefetch)
{
    size_t i = 0;
    for (; i + (size_t)rows <= n; i += (size_t)rows) {
        const int follow = rows < ROWS_MAX && i + 2 * (size_t)rows <= n;
        tile(element, rows, classes, d, x + i, follow ? x + i + rows : NULL, w,
             scores_at(scores, i, 0), prefetch);
    }
    for (; i < n; i++)
        tile(element, 1, classes, d, x + i, NULL, w, scores_at(scores, i, 0), prefetch);
}

/* A panel has 4 classes or more. */
DOWNHILL_INLINE void columns(const enum element element, size_t n, size_t d, size_t c,
                             const void *const *x, const float *w, struct scores scores,
                             struct prefetch *prefetch)
{
    switch (c) {
    case 10:
        column_of_tiles(element, 4, 10, n, d, x, w, scores, prefetch);
        break;
    case 9:
        column_of_tiles(element, 4, 9, n, d, x, w, scores, prefetch);
        break;
    case 8:
        column_of_tiles(element, 4, 8, n, d, x, w, scores, prefetch);
        break;
    case 7:
        column_of_tiles(element, 4, 7, n, d, x, w, scores, prefetch);
        break;
    case 6:
        column_of_tiles(element, 8, 6, n, d, x, w, scores, prefetch);
        break;
    case 5:
        column_of_tiles(element, 8, 5, n, d, x, w, scores, prefetch);
        break;
    default:
        column_of_tiles(element, 8, 4, n, d, x, w, scores, prefetch);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *w, const struct scores *scores,
                                     struct prefetch *prefetch)
{
    columns(ELEMENT_F32, n, d, c, x, w, *scores, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_packed_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                      const float *w, const struct scores *scores,
                                      struct prefetch *prefetch)
{
    columns(ELEMENT_BF16, n, d, c, x, w, *scores, prefetch);
}
