/* SPDX-License-Identifier: MIT
 *
 * Scores of one to three classes with AVX-512F, for score_f32_avx512.c.
 *
 * One class has 32 sums, two or three have 16: whole vectors.
 *
 * One class is bound by loading X, so it reads a run of 1024 bytes of one row, then of the next. From L2 256 × 784 × 1 takes 0.8
 * of the time of one line per row in turn, × 512 0.55: with several rows read side by side, Zen 5 fetches lines twice. Two
 * classes read six rows side by side. From L2 runs of 512 bytes take 1.05 to 1.15 times as long, and tiles of four rows 0.9 to
 * 1 times; from memory tiles of four rows take 1.1 times as long (Zen 5). Three classes are bound by their FMAs. */
#ifndef DOWNHILL_FEW_CLASSES_AVX512_H
#define DOWNHILL_FEW_CLASSES_AVX512_H

#include "simd/avx512.h"

#include <stdbool.h>

/* Limits of a tile. */
enum { FEW_CLASSES = 3, FEW_ROWS = 8, FEW_VECTORS = 2 };

/* Vectors of weights of a run, and rows of its tile. */
enum { RUN_VECTORS = 16, RUN_ROWS = 4 };

/* Adds X Wᵀ over 16·vectors features, of which the first `count` are there, to the sums. */
DOWNHILL_INLINE void add_few(const enum element element, const int vectors, const int rows,
                             const int classes, size_t count, const void *const x_row[FEW_ROWS],
                             const float *w, size_t ldw, size_t k,
                             __m512 sum_f32x16[FEW_CLASSES][FEW_ROWS][FEW_VECTORS])
{
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++) {
        const size_t at = F32X16 * (size_t)v;
        if (at >= count)
            return;
        const __mmask16 lanes = first_lanes_x16(count - at);
        __m512 x_f32x16[FEW_ROWS];
        DOWNHILL_UNROLL
        for (int r = 0; r < rows; r++) {
            x_f32x16[r] = some_features_x16(element, lanes, x_row[r], k + at);
            if (classes > 1)
                x_f32x16[r] = in_register_x16(x_f32x16[r]);
        }
        DOWNHILL_UNROLL
        for (int j = 0; j < classes; j++) {
            const __m512 w_f32x16 =
                in_register_x16(_mm512_maskz_loadu_ps(lanes, w + (size_t)j * ldw + k + at));
            DOWNHILL_UNROLL
            for (int r = 0; r < rows; r++)
                sum_f32x16[j][r][v] = _mm512_fmadd_ps(x_f32x16[r], w_f32x16, sum_f32x16[j][r][v]);
        }
    }
}

DOWNHILL_INLINE __m512 sum_of_vectors(const int vectors, const __m512 *s)
{
    return vectors == 2 ? _mm512_add_ps(s[0], s[1]) : s[0];
}

/* Sets the scores of a tile with an even number of rows, with the bits of sum_lanes_x16(): each vector gets the sums of two
 * rows, and four vectors are folded together. */
DOWNHILL_INLINE void set_few(const int vectors, const int rows, const int classes,
                             __m512 sum_f32x16[FEW_CLASSES][FEW_ROWS][FEW_VECTORS],
                             struct scores scores)
{
    float dot[2][FEW_ROWS / 2 * FEW_CLASSES + 3]; /* of the even and the odd rows */
    __m512 two_rows[FEW_ROWS / 2 * FEW_CLASSES + 3];
    const int count = rows / 2 * classes;
    DOWNHILL_UNROLL
    for (int q = 0; q < count; q++) {
        const int r = q / classes * 2, j = q % classes;
        two_rows[q] = halves_added(sum_of_vectors(vectors, sum_f32x16[j][r]),
                                   sum_of_vectors(vectors, sum_f32x16[j][r + 1]));
    }
    DOWNHILL_UNROLL
    for (int q = count; q < (count + 3) / 4 * 4; q++)
        two_rows[q] = _mm512_setzero_ps();
    DOWNHILL_UNROLL
    for (int q = 0; q < count; q += 4) {
        const __m512 sums =
            sum_halves(sum_parts(two_rows[q], two_rows[q + 1], two_rows[q + 2], two_rows[q + 3]));
        _mm_storeu_ps(dot[0] + q, _mm512_castps512_ps128(sums));
        _mm_storeu_ps(dot[1] + q, _mm512_extractf32x4_ps(sums, 2));
    }
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < classes; j++) {
            const struct scores s = scores_at(scores, (size_t)r, (size_t)j);
            *s.to = *s.from + dot[r % 2][r / 2 * classes + j];
        }
}

/* Adds 4 vectors of a row, from vector `first` of the run on, to the sums of one class. A longer loop Clang does not
 * unroll. */
DOWNHILL_INLINE void add_4_vectors(const int first, const float *x,
                                   const __m512 w_f32x16[RUN_VECTORS],
                                   __m512 sum_f32x16[FEW_VECTORS])
{
    const int ahead = F32X16 * RUN_VECTORS / 2; /* half a run: more gains nothing (Zen 5) */
    DOWNHILL_UNROLL_ALWAYS
    for (int v = first; v < first + 4; v++) {
        _mm_prefetch((const void *)(x + F32X16 * v + ahead), _MM_HINT_T0);
        sum_f32x16[v % FEW_VECTORS] = _mm512_fmadd_ps(_mm512_loadu_ps(x + F32X16 * v), w_f32x16[v],
                                                      sum_f32x16[v % FEW_VECTORS]);
    }
}

DOWNHILL_INLINE void add_run_of_row(const float *x, const __m512 w_f32x16[RUN_VECTORS],
                                    __m512 sum_f32x16[FEW_VECTORS])
{
    add_4_vectors(0, x, w_f32x16, sum_f32x16);
    add_4_vectors(4, x, w_f32x16, sum_f32x16);
    add_4_vectors(8, x, w_f32x16, sum_f32x16);
    add_4_vectors(12, x, w_f32x16, sum_f32x16);
}

DOWNHILL_INLINE void load_8_weights(const int first, const float *w, __m512 w_f32x16[RUN_VECTORS])
{
    DOWNHILL_UNROLL_ALWAYS
    for (int v = first; v < first + 8; v++)
        w_f32x16[v] = in_register_x16(_mm512_loadu_ps(w + F32X16 * (size_t)v));
}

/* Adds X wᵀ over a run from feature k on, one row in f32 after the other, to the sums. */
DOWNHILL_INLINE void add_run(const void *const x_row[FEW_ROWS], const float *w, size_t k,
                             __m512 sum_f32x16[FEW_ROWS][FEW_VECTORS])
{
    __m512 w_f32x16[RUN_VECTORS];
    load_8_weights(0, w + k, w_f32x16);
    load_8_weights(8, w + k, w_f32x16);
    add_run_of_row((const float *)x_row[0] + k, w_f32x16, sum_f32x16[0]);
    add_run_of_row((const float *)x_row[1] + k, w_f32x16, sum_f32x16[1]);
    add_run_of_row((const float *)x_row[2] + k, w_f32x16, sum_f32x16[2]);
    add_run_of_row((const float *)x_row[3] + k, w_f32x16, sum_f32x16[3]);
}

/* in_runs: reads X in runs first (one class, f32). Such a tile, and a tile of one sample, takes no lines from *prefetch. */
DOWNHILL_INLINE void tile_of_few(const enum element element, const int vectors, const int rows,
                                 const bool in_runs, const int classes, size_t d,
                                 const void *const *x, const float *w, size_t ldw,
                                 struct scores scores, struct prefetch *prefetch)
{
    const size_t width = F32X16 * (size_t)vectors;
    const void *x_row[FEW_ROWS];
    __m512 sum_f32x16[FEW_CLASSES][FEW_ROWS][FEW_VECTORS];
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        x_row[r] = x[r];
    DOWNHILL_UNROLL
    for (int j = 0; j < classes; j++)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++)
                sum_f32x16[j][r][v] = _mm512_setzero_ps();
    size_t k = 0, steps = d / width;
    for (; in_runs && k + F32X16 * RUN_VECTORS <= d; k += F32X16 * RUN_VECTORS)
        add_run(x_row, w, k, sum_f32x16[0]);
    if (rows > 1 && !in_runs && prefetch->left > 0) {
        struct prefetch_run run = prefetch_take(prefetch, &steps);
        for (size_t s = 0; s < steps; s++, k += width) {
            prefetch_step(&run);
            add_few(element, vectors, rows, classes, width, x_row, w, ldw, k, sum_f32x16);
        }
    }
    for (; k + width <= d; k += width)
        add_few(element, vectors, rows, classes, width, x_row, w, ldw, k, sum_f32x16);
    if (k < d)
        add_few(element, vectors, rows, classes, d - k, x_row, w, ldw, k, sum_f32x16);
    if (rows == 1) {
        for (int j = 0; j < classes; j++) {
            const struct scores s_j = scores_at(scores, 0, (size_t)j);
            *s_j.to = *s_j.from + sum_lanes_x16(sum_of_vectors(vectors, sum_f32x16[j][0]));
        }
        return;
    }
    set_few(vectors, rows, classes, sum_f32x16, scores);
}

DOWNHILL_INLINE void few_classes(const enum element element, const int vectors, const int classes,
                                 size_t n, size_t d, const void *const *x, int prefetches,
                                 const float *w, size_t ldw, struct scores scores,
                                 struct prefetch *prefetch)
{
    (void)prefetches;
    const int rows = classes == 1 ? 8 : classes == 2 ? 6 : 4;
    size_t i = 0;
    for (; i + (size_t)rows <= n; i += (size_t)rows)
        tile_of_few(element, vectors, rows, false, classes, d, x + i, w, ldw,
                    scores_at(scores, i, 0), prefetch);
    for (; i + 2 <= n; i += 2)
        tile_of_few(element, vectors, 2, false, classes, d, x + i, w, ldw, scores_at(scores, i, 0),
                    prefetch);
    for (; i < n; i++)
        tile_of_few(element, vectors, 1, false, classes, d, x + i, w, ldw, scores_at(scores, i, 0),
                    prefetch);
}

/* For one class, X in f32, rows of a run or more, and no rows to prefetch. */
DOWNHILL_INLINE void few_in_runs(const enum element element, const int vectors, const int classes,
                                 size_t n, size_t d, const void *const *x, int prefetches,
                                 const float *w, size_t ldw, struct scores scores,
                                 struct prefetch *prefetch)
{
    (void)prefetches;
    size_t i = 0;
    for (; i + RUN_ROWS <= n; i += RUN_ROWS)
        tile_of_few(element, vectors, RUN_ROWS, true, classes, d, x + i, w, ldw,
                    scores_at(scores, i, 0), prefetch);
    for (; i < n; i++)
        tile_of_few(element, vectors, 1, false, classes, d, x + i, w, ldw, scores_at(scores, i, 0),
                    prefetch);
}

#endif
