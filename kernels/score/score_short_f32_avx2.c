/* SPDX-License-Identifier: MIT
 *
 * Scores of rows of at most 8 features with AVX2 and FMA, with the classes along the lanes.
 *
 * With the features along the lanes a dot product this short is a single FMA, but three additions fold its 8 sums, and
 * lanes may be empty. Here 8 classes share one broadcast of each feature, and 8 dot products are folded by 3 or 7 vertical
 * additions in the same order. Each sum has one product, so no FMA is needed, and missing features need no additions. Only
 * the sign of a zero may differ.
 *
 * 8 vectors of weights stay in registers while the rows pass: 4 features of 16 classes or 8 of 8. Per row they take 4 or 8
 * broadcasts, 8 multiplications and 8 additions: 4 cycles where additions have units of their own (Zen), 8 where they share
 * those of the multiplications (Haswell to Cascade Lake).
 *
 * Rows are first copied as f32, with zeros after the last feature, so that no memory after a row is read. They are copied 32
 * at a time, so that the wide store of a row has completed before its features are broadcast. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

#include <stdbool.h>

enum { FEATURES_MAX = 8, VECTORS_MAX = 2, ROWS = 32 };

/* Returns the total of four products: those 2 apart are added first. */
DOWNHILL_INLINE __m256 total_of_4(const __m256 x_f32x8[4], const __m256 w_f32x8[4])
{
    __m256 product[4];
    DOWNHILL_UNROLL
    for (int k = 0; k < 4; k++) {
        product[k] = _mm256_mul_ps(x_f32x8[k], w_f32x8[k]);
        DOWNHILL_ROUND(product[k]);
    }
    return _mm256_add_ps(_mm256_add_ps(product[0], product[2]),
                         _mm256_add_ps(product[1], product[3]));
}

/* Sets the scores of c classes, in `vectors` vectors, the last with a tail if has_tail. */
DOWNHILL_INLINE void rows_of(const int features, const int vectors, const bool has_tail, size_t n,
                             size_t c, const float *x, const float *w, struct scores scores)
{
    const int stride = SHORT_WEIGHTS_X8 / features;
    __m256 w_f32x8[VECTORS_MAX][FEATURES_MAX];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        for (int k = 0; k < features; k++)
            w_f32x8[v][k] = in_register_x8(_mm256_loadu_ps(w + k * stride + F32X8 * v));
    const size_t last = c - F32X8 * (size_t)(vectors - 1);
    const __m256i lanes = first_lanes_x8(last);
    for (size_t i = 0; i < n; i++, x += features, scores = scores_at(scores, 1, 0)) {
        __m256 x_f32x8[FEATURES_MAX];
        DOWNHILL_UNROLL
        for (int k = 0; k < features; k++)
            x_f32x8[k] = _mm256_broadcast_ss(x + k);
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++) {
            __m256 dot = total_of_4(x_f32x8, w_f32x8[v]);
            if (features > 4)
                dot = _mm256_add_ps(dot, total_of_4(x_f32x8 + 4, w_f32x8[v] + 4));
            const struct scores s = scores_at(scores, 0, F32X8 * (size_t)v);
            if (has_tail && v == vectors - 1)
                store_some_x8(s.to, last, _mm256_add_ps(_mm256_maskload_ps(s.from, lanes), dot));
            else
                _mm256_storeu_ps(s.to, _mm256_add_ps(_mm256_loadu_ps(s.from), dot));
        }
    }
}

/* One function per size, so that the compiler allocates the registers of each loop for itself. */
#define ROWS_OF(name, features, vectors, has_tail)                                                 \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(size_t n, size_t c, const float *x, const float *w, \
                                               const struct scores *scores)                        \
    {                                                                                              \
        rows_of(features, vectors, has_tail, n, c, x, w, *scores);                                 \
    }

ROWS_OF(rows_4_1, 4, 1, true)
ROWS_OF(rows_4_2, 4, 2, true)
ROWS_OF(rows_4_whole, 4, 2, false)
ROWS_OF(rows_8_1, 8, 1, true)
ROWS_OF(rows_8_whole, 8, 1, false)

typedef void rows_kernel(size_t n, size_t c, const float *x, const float *w,
                         const struct scores *scores);

DOWNHILL_INLINE void copy_rows(const enum element element, size_t n, size_t d, size_t features,
                               const void *const *x, float *to)
{
    const __m256i lanes = first_lanes_x8(d);
    for (size_t i = 0; i < n; i++) {
        if (features == 8)
            _mm256_store_ps(to + i * 8, d < F32X8 ? some_features_x8(element, d, x[i], 0)
                                                  : features_x8(element, x[i], 0));
        else if (element == ELEMENT_F32)
            /* No wider: a masked load that reaches into a page that is not there takes a microcode assist. */
            _mm_store_ps(to + i * 4, _mm_maskload_ps(x[i], _mm256_castsi256_si128(lanes)));
        else
            _mm_store_ps(to + i * 4, _mm256_castps256_ps128(some_features_x8(element, d, x[i], 0)));
    }
}

DOWNHILL_INLINE void rows(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *w, const struct scores *scores)
{
    const size_t features = short_features(d), width = SHORT_WEIGHTS_X8 / features;
    rows_kernel *const whole = features == 4 ? rows_4_whole : rows_8_whole;
    for (size_t i = 0, count; i < n; i += count) {
        _Alignas(32) float copy[ROWS * F32X8];
        count = n - i < ROWS ? n - i : ROWS;
        copy_rows(element, count, d, features, x + i, copy);
        for (size_t j = 0; j < c; j += width) {
            const size_t classes = c - j < width ? c - j : width;
            const struct scores scores_ij = scores_at(*scores, i, j);
            rows_kernel *const kernel = classes == width   ? whole
                                        : features == 8    ? rows_8_1
                                        : classes <= F32X8 ? rows_4_1
                                                           : rows_4_2;
            kernel(count, classes, copy, w + j * features, &scores_ij);
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_short_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                    const float *w, const struct scores *scores,
                                    struct prefetch *prefetch)
{
    (void)prefetch; /* a row is at most one cache line */
    rows(ELEMENT_F32, n, d, c, x, w, scores);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_short_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *w, const struct scores *scores,
                                     struct prefetch *prefetch)
{
    (void)prefetch;
    rows(ELEMENT_BF16, n, d, c, x, w, scores);
}
