/* SPDX-License-Identifier: MIT
 *
 * Scores with AVX-512F. A register tile holds the dot products of a few samples and classes, with the features along the
 * lanes.
 *
 * A dot product of 4 classes or more has 8 sums, as with AVX2, so that both give the same bits. A vector holds those of
 * two samples. Per 8 features a tile of 4 samples × 10 classes loads 4 halves of X into 2 vectors and broadcasts 10
 * halves of W for 20 FMAs: 10 cycles of FMAs with two 512-bit units (Skylake-SP and later, Zen 5), 11 where joining two
 * halves takes one of them, against 7 cycles of loads. 16 to 24 sums more than cover the latency of 4 cycles × 2 units.
 * X is read once for up to ten classes.
 *
 * A single sample has the sums of two classes in a vector. It loads whole lines of W and puts the halves of two classes
 * together: per 16 features 10 classes take 12 loads, 10 shuffles and 10 FMAs, two in a row on each sum: 8 cycles of latency,
 * 10 of shuffles where one port has them all (Skylake-SP).
 *
 * The first tile of 7 to 10 classes prefetches the rows of the next samples into L2: from memory 32 × 3072 × 10 takes 0.6 of
 * the time, from L2 up to 1.08, because the prefetches compete for L2 (Zen 5). Tiles of fewer classes are too short to hide
 * them.
 *
 * Tails: the last samples two and one at a time. The last features take masked loads in pairs of samples; one sample loads
 * them together with the features before them. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

#include "score/few_classes_avx512.h"

/* Limits of a tile of pairs of samples, whose number of sums is at most 24. */
enum { PAIRS_MAX = 4, CLASSES_MAX = 10 };

/* Adds X Wᵀ over 8 features, of which only `lanes` are there, to the sums. W starts at these features in every third
 * row. */
DOWNHILL_INLINE void add_pairs(const enum element element, const int pairs, const int classes,
                               __mmask8 lanes, const void *const x_row[2 * PAIRS_MAX],
                               const float *const w_of_3[], size_t ldw, size_t k,
                               __m512 sum_f32x16[CLASSES_MAX][PAIRS_MAX])
{
    __m512 x_f32x16[PAIRS_MAX];
    DOWNHILL_UNROLL
    for (int p = 0; p < pairs; p++)
        x_f32x16[p] =
            in_register_x16(features_of_pair(element, lanes, x_row[2 * p], x_row[2 * p + 1], k));
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++) {
        const __m512 w_f32x16 = in_register_x16(_mm512_broadcast_f32x8(
            _mm256_maskz_loadu_ps(lanes, w_of_3[j / 3] + (size_t)(j % 3) * ldw)));
        DOWNHILL_UNROLL
        for (int p = 0; p < pairs; p++)
            sum_f32x16[j][p] = _mm512_fmadd_ps(x_f32x16[p], w_f32x16, sum_f32x16[j][p]);
    }
}

DOWNHILL_INLINE void advance(const int classes, const float *w_of_3[])
{
    DOWNHILL_UNROLL
    for (int t = 0; 3 * t < classes; t++)
        w_of_3[t] += F32X8;
}

/* next: rows to prefetch into L2 at the features of the current ones; NULL: none. */
DOWNHILL_INLINE void tile_of_pairs(const enum element element, const int pairs, const int classes,
                                   size_t d, const void *const *x, const void *const *next,
                                   const float *w, size_t ldw, struct scores scores)
{
    const void *x_row[2 * PAIRS_MAX];
    __m512 sum_f32x16[CLASSES_MAX][PAIRS_MAX];
    DOWNHILL_UNROLL
    for (int r = 0; r < 2 * pairs; r++)
        x_row[r] = x[r];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        for (int p = 0; p < pairs; p++)
            sum_f32x16[j][p] = _mm512_setzero_ps();
    /* A pointer serves three rows of W, two of them through an index register. With ten pointers GCC keeps some in memory. */
    const float *w_of_3[(CLASSES_MAX + 2) / 3];
    DOWNHILL_UNROLL
    for (int t = 0; 3 * t < classes; t++)
        w_of_3[t] = w + (size_t)(3 * t) * ldw;
    size_t k = 0;
    if (next != NULL) {
        const void *next_row[2 * PAIRS_MAX];
        DOWNHILL_UNROLL
        for (int r = 0; r < 2 * pairs; r++)
            next_row[r] = next[r];
        for (; k + 2 * F32X8 <= d; k += 2 * F32X8) {
            DOWNHILL_UNROLL
            for (int r = 0; r < 2 * pairs; r++)
                _mm_prefetch(feature_at(element, next_row[r], k), _MM_HINT_T1);
            add_pairs(element, pairs, classes, ALL_LANES_X8, x_row, w_of_3, ldw, k, sum_f32x16);
            advance(classes, w_of_3);
            add_pairs(element, pairs, classes, ALL_LANES_X8, x_row, w_of_3, ldw, k + F32X8,
                      sum_f32x16);
            advance(classes, w_of_3);
        }
    }
    for (; k + F32X8 <= d; k += F32X8) {
        add_pairs(element, pairs, classes, ALL_LANES_X8, x_row, w_of_3, ldw, k, sum_f32x16);
        advance(classes, w_of_3);
    }
    if (k < d)
        add_pairs(element, pairs, classes, first_lanes_of_8(d - k), x_row, w_of_3, ldw, k,
                  sum_f32x16);

    /* Four classes at a time; the last four overlap the ones before, and only the missing ones are stored. */
    DOWNHILL_UNROLL
    for (int p = 0; p < pairs; p++) {
        const struct scores a = scores_at(scores, (size_t)(2 * p), 0), b = scores_at(a, 1, 0);
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j += 4) {
            const int first = j + 4 <= classes ? j : classes - 4;
            const __m512 sums =
                sum_halves(sum_parts(sum_f32x16[first][p], sum_f32x16[first + 1][p],
                                     sum_f32x16[first + 2][p], sum_f32x16[first + 3][p]));
            const __mmask8 new = (__mmask8)(0xFu << (j - first) & 0xFu);
            set_some_x4(scores_at(a, 0, (size_t)first), new, _mm512_castps512_ps128(sums));
            set_some_x4(scores_at(b, 0, (size_t)first), new, _mm512_extractf32x4_ps(sums, 2));
        }
    }
}

/* Loads 16 weights, or those of a tail: the given one, or the first lanes of a short row. */
DOWNHILL_INLINE __m512 weights_x16(__mmask16 lanes, const struct tail *tail, const float *w)
{
    return tail != NULL ? moved_to_front(tail, _mm512_loadu_ps(w - tail->back))
                        : _mm512_maskz_loadu_ps(lanes, w);
}

/* Adds x Wᵀ of one sample over 16 features, or over those of a tail, to the sums. The sums of classes 2q and 2q + 1 are the
 * halves of vector q. */
DOWNHILL_INLINE void add_one(const enum element element, const int classes, __mmask16 lanes,
                             const struct tail *tail, const void *x, const float *w, size_t ldw,
                             size_t k, __m512 sum_f32x16[CLASSES_MAX / 2])
{
    __m512 x_low, x_high;
    if (tail != NULL) {
        const __m512 x_f32x16 = moved_to_front(tail, features_x16(element, x, k - tail->back));
        x_low = _mm512_shuffle_f32x4(x_f32x16, x_f32x16, _MM_SHUFFLE(1, 0, 1, 0));
        x_high = _mm512_shuffle_f32x4(x_f32x16, x_f32x16, _MM_SHUFFLE(3, 2, 3, 2));
    } else {
        x_low = features_twice(element, (__mmask8)lanes, x, k);
        x_high = features_twice(element, (__mmask8)(lanes >> F32X8), x, k + F32X8);
    }
    DOWNHILL_UNROLL
    for (int q = 0; q < (classes + 1) / 2; q++) {
        const float *w_q = w + (size_t)(2 * q) * ldw + k;
        const __m512 even = weights_x16(lanes, tail, w_q),
                     odd = 2 * q + 1 < classes ? weights_x16(lanes, tail, w_q + ldw)
                                               : _mm512_setzero_ps();
        const __m512 w_low = _mm512_shuffle_f32x4(even, odd, _MM_SHUFFLE(1, 0, 1, 0)),
                     w_high = _mm512_shuffle_f32x4(even, odd, _MM_SHUFFLE(3, 2, 3, 2));
        sum_f32x16[q] = _mm512_fmadd_ps(x_low, w_low, sum_f32x16[q]);
        sum_f32x16[q] = _mm512_fmadd_ps(x_high, w_high, sum_f32x16[q]);
    }
}

DOWNHILL_INLINE void tile_of_one(const enum element element, const int classes, size_t d,
                                 const void *x, const float *w, size_t ldw, struct scores scores)
{
    __m512 sum_f32x16[CLASSES_MAX / 2];
    DOWNHILL_UNROLL
    for (int q = 0; q < (classes + 1) / 2; q++)
        sum_f32x16[q] = _mm512_setzero_ps();
    size_t k = 0;
    for (; k + F32X16 <= d; k += F32X16)
        add_one(element, classes, 0xFFFF, NULL, x, w, ldw, k, sum_f32x16);
    if (k < d && k > 0) {
        const struct tail tail = tail_x16_of(d);
        add_one(element, classes, 0xFFFF, &tail, x, w, ldw, k, sum_f32x16);
    } else if (k < d) {
        add_one(element, classes, first_lanes_x16(d), NULL, x, w, ldw, k, sum_f32x16);
    }
    set_pairs_of_classes(classes, sum_f32x16, scores);
}

DOWNHILL_INLINE void column_of_tiles(const enum element element, const int pairs, const int classes,
                                     size_t n, size_t d, const void *const *x, int prefetches,
                                     const float *w, size_t ldw, struct scores scores,
                                     struct prefetch *prefetch)
{
    (void)prefetch; /* many rows use the packed kernel */
    const size_t rows = 2 * (size_t)pairs;
    size_t i = 0;
    for (; i + rows <= n; i += rows) {
        const int follow = pairs < PAIRS_MAX && prefetches && i + 2 * rows <= n;
        tile_of_pairs(element, pairs, classes, d, x + i, follow ? x + i + rows : NULL, w, ldw,
                      scores_at(scores, i, 0));
    }
    for (; i + 2 <= n; i += 2)
        tile_of_pairs(element, 1, classes, d, x + i, NULL, w, ldw, scores_at(scores, i, 0));
    if (i < n)
        tile_of_one(element, classes, d, x[i], w, ldw, scores_at(scores, i, 0));
}

/* One function per tile, out of line, so that the compiler allocates the registers of each loop for itself. In one
 * large function GCC keeps pointers and features of some loops in memory. */
#define COLUMN_OF(name, column, element, size, classes)                                            \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(                                                    \
        size_t n, size_t d, const void *const *x, int prefetches, const float *w, size_t ldw,      \
        const struct scores *scores, struct prefetch *prefetch)                                    \
    {                                                                                              \
        column(element, size, classes, n, d, x, prefetches, w, ldw, *scores, prefetch);            \
    }

COLUMN_OF(runs_f32, few_in_runs, ELEMENT_F32, 2, 1)
COLUMN_OF(column_f32_1, few_classes, ELEMENT_F32, 2, 1)
COLUMN_OF(column_f32_2, few_classes, ELEMENT_F32, 1, 2)
COLUMN_OF(column_f32_3, few_classes, ELEMENT_F32, 1, 3)
COLUMN_OF(column_f32_4, column_of_tiles, ELEMENT_F32, 4, 4)
COLUMN_OF(column_f32_5, column_of_tiles, ELEMENT_F32, 4, 5)
COLUMN_OF(column_f32_6, column_of_tiles, ELEMENT_F32, 4, 6)
COLUMN_OF(column_f32_7, column_of_tiles, ELEMENT_F32, 3, 7)
COLUMN_OF(column_f32_8, column_of_tiles, ELEMENT_F32, 3, 8)
COLUMN_OF(column_f32_9, column_of_tiles, ELEMENT_F32, 2, 9)
COLUMN_OF(column_f32_10, column_of_tiles, ELEMENT_F32, 2, 10)

COLUMN_OF(column_bf16_1, few_classes, ELEMENT_BF16, 2, 1)
COLUMN_OF(column_bf16_2, few_classes, ELEMENT_BF16, 1, 2)
COLUMN_OF(column_bf16_3, few_classes, ELEMENT_BF16, 1, 3)
COLUMN_OF(column_bf16_4, column_of_tiles, ELEMENT_BF16, 4, 4)
COLUMN_OF(column_bf16_5, column_of_tiles, ELEMENT_BF16, 4, 5)
COLUMN_OF(column_bf16_6, column_of_tiles, ELEMENT_BF16, 4, 6)
COLUMN_OF(column_bf16_7, column_of_tiles, ELEMENT_BF16, 3, 7)
COLUMN_OF(column_bf16_8, column_of_tiles, ELEMENT_BF16, 3, 8)
COLUMN_OF(column_bf16_9, column_of_tiles, ELEMENT_BF16, 2, 9)
COLUMN_OF(column_bf16_10, column_of_tiles, ELEMENT_BF16, 2, 10)

typedef void column_kernel(size_t n, size_t d, const void *const *x, int prefetches, const float *w,
                           size_t ldw, const struct scores *scores, struct prefetch *prefetch);

/* By the number of classes, minus 1. */
static column_kernel *const columns_f32[CLASSES_MAX] = {
    column_f32_1, column_f32_2, column_f32_3, column_f32_4, column_f32_5,
    column_f32_6, column_f32_7, column_f32_8, column_f32_9, column_f32_10};
static column_kernel *const columns_bf16[CLASSES_MAX] = {
    column_bf16_1, column_bf16_2, column_bf16_3, column_bf16_4, column_bf16_5,
    column_bf16_6, column_bf16_7, column_bf16_8, column_bf16_9, column_bf16_10};

/* Returns the number of classes of the next tile. The tiles have 4 or more if there are 4 or more. */
static size_t next_classes(size_t left)
{
    return left <= CLASSES_MAX ? left : next_tile(left, 8);
}

static inline void all_columns(column_kernel *const column[], size_t n, size_t d, size_t c,
                               const void *const *x, const float *w, size_t ldw,
                               const struct scores *scores, struct prefetch *prefetch)
{
    for (size_t j = 0, classes; j < c; j += classes) {
        classes = next_classes(c - j);
        const struct scores scores_j = scores_at(*scores, 0, j);
        column[classes - 1](n, d, x, j == 0, w + j * ldw, ldw, &scores_j, prefetch);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    if (c == 1 && n >= RUN_ROWS && d >= F32X16 * RUN_VECTORS && prefetch->left == 0)
        runs_f32(n, d, x, 0, w, ldw, scores, prefetch);
    else
        all_columns(columns_f32, n, d, c, x, w, ldw, scores, prefetch);
}

/* Without runs, which gain nothing: widening bf16 takes longer than loading it from L2. */
DOWNHILL_TARGET
void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    all_columns(columns_bf16, n, d, c, x, w, ldw, scores, prefetch);
}
