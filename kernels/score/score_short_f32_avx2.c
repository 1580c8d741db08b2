/* SPDX-License-Identifier: MIT
 *
 * Scores of rows of at most 8 features with AVX2 and FMA, with the classes along the lanes.
 *
 * With the features along the lanes a dot product this short is a single FMA, but three additions fold its 8 sums, and
 * lanes may be empty. Here 8 or 16 classes share one broadcast of each feature, and the sums of 8 dot products are folded
 * by 4 or 7 vertical additions. The sums are the same, in the same order: one product each.
 *
 * A row is copied first, with zeros after its last feature, so that no memory after the row is touched. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/kernels.h"
#include "simd/avx2.h"

enum { VECTORS_MAX = 2 };

/* Sets the products of one feature with 8 classes per vector, as sums that start from 0. */
DOWNHILL_INLINE void products(const int vectors, const float *x, const float *w,
                              __m256 product[VECTORS_MAX])
{
    const __m256 x_f32x8 = _mm256_broadcast_ss(x);
    for (int v = 0; v < vectors; v++)
        product[v] = _mm256_fmadd_ps(x_f32x8, _mm256_load_ps(w + F32X8 * v), _mm256_setzero_ps());
}

DOWNHILL_INLINE void add(const int vectors, const __m256 term[VECTORS_MAX], __m256 sum[VECTORS_MAX])
{
    for (int v = 0; v < vectors; v++)
        sum[v] = _mm256_add_ps(sum[v], term[v]);
}

/* Sets the sums over features 0, 2, 1 and 3, in pairs. */
DOWNHILL_INLINE void sum_4(const int vectors, const float *x, const float *w,
                           __m256 sum[VECTORS_MAX])
{
    const int stride = vectors * F32X8;
    __m256 odd[VECTORS_MAX], term[VECTORS_MAX];
    products(vectors, x, w, sum);
    products(vectors, x + 2, w + 2 * stride, term);
    add(vectors, term, sum);
    products(vectors, x + 1, w + stride, odd);
    products(vectors, x + 3, w + 3 * stride, term);
    add(vectors, term, odd);
    add(vectors, odd, sum);
}

DOWNHILL_INLINE void rows_of(const enum element element, const int features, const int vectors,
                             size_t n, size_t d, size_t c, const void *const *x, const float *w,
                             struct scores scores)
{
    const size_t tail = c - (size_t)(vectors - 1) * F32X8;
    const __m256i lanes = first_lanes_x8(tail);
    for (size_t i = 0; i < n; i++, scores = scores_at(scores, 1, 0)) {
        _Alignas(32) float row[F32X8];
        if (element == ELEMENT_F32 && features == 4)
            /* No wider: a masked load that reaches into a page that is not there takes a microcode assist. */
            _mm_store_ps(row, _mm_maskload_ps(x[i], _mm256_castsi256_si128(first_lanes_x8(d))));
        else
            _mm256_store_ps(row, d < F32X8 ? some_features_x8(element, d, x[i], 0)
                                           : features_x8(element, x[i], 0));
        __m256 dot[VECTORS_MAX], term[VECTORS_MAX];
        sum_4(vectors, row, w, dot);
        /* The upper sums of a short row are 0. They are added too, because they make a sum of -0, the product of an
         * underflow, +0. */
        for (int v = 0; v < vectors; v++)
            term[v] = _mm256_setzero_ps();
        if (features > 4)
            sum_4(vectors, row + 4, w + 4 * vectors * F32X8, term);
        add(vectors, term, dot);
        for (int v = 0; v < vectors - 1; v++)
            _mm256_storeu_ps(scores.to + F32X8 * v,
                             _mm256_add_ps(_mm256_loadu_ps(scores.from + F32X8 * v), dot[v]));
        const struct scores last = scores_at(scores, 0, F32X8 * (size_t)(vectors - 1));
        store_some_x8(last.to, tail,
                      _mm256_add_ps(_mm256_maskload_ps(last.from, lanes), dot[vectors - 1]));
    }
}

DOWNHILL_INLINE void rows(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *w, struct scores scores)
{
    if (c <= F32X8) {
        if (d <= 4)
            rows_of(element, 4, 1, n, d, c, x, w, scores);
        else
            rows_of(element, 8, 1, n, d, c, x, w, scores);
    } else {
        if (d <= 4)
            rows_of(element, 4, 2, n, d, c, x, w, scores);
        else
            rows_of(element, 8, 2, n, d, c, x, w, scores);
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_short_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                    const float *w, const struct scores *scores,
                                    struct prefetch *prefetch)
{
    (void)prefetch; /* a row is at most one cache line */
    rows(ELEMENT_F32, n, d, c, x, w, *scores);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_short_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                     const float *w, const struct scores *scores,
                                     struct prefetch *prefetch)
{
    (void)prefetch;
    rows(ELEMENT_BF16, n, d, c, x, w, *scores);
}
