/* SPDX-License-Identifier: MIT
 *
 * Scores in the fixed order of sums: feature k of a chunk is added to sum k modulo the number of sums. */
#define DOWNHILL_LEVEL_NAME fma
#include "simd/fixed_order.h"

DOWNHILL_INLINE float dot(const enum element element, const size_t lanes, size_t d, const void *x,
                          const float *w)
{
    float sum[DOT_LANES_MAX] = {0};
    size_t k = 0;
    for (; k + lanes <= d; k += lanes)
        for (size_t l = 0; l < lanes; l++)
            sum[l] = fmaf(feature(element, x, k + l), w[k + l], sum[l]);
    for (size_t l = 0; k + l < d; l++)
        sum[l] = fmaf(feature(element, x, k + l), w[k + l], sum[l]);
    return fold(lanes, sum);
}

DOWNHILL_INLINE void score_lanes(const enum element element, const size_t lanes, size_t n, size_t d,
                                 size_t c, const void *const *x, const float *w, size_t ldw,
                                 struct scores scores)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const struct scores s = scores_at(scores, i, j);
            *s.to = *s.from + dot(element, lanes, d, x[i], w + j * ldw);
        }
}

DOWNHILL_INLINE void score(const enum element element, size_t n, size_t d, size_t c,
                           const void *const *x, const float *w, size_t ldw, struct scores scores)
{
    switch (dot_lanes(c)) {
    case 32:
        score_lanes(element, 32, n, d, c, x, w, ldw, scores);
        break;
    case 16:
        score_lanes(element, 16, n, d, c, x, w, ldw, scores);
        break;
    default:
        score_lanes(element, 8, n, d, c, x, w, ldw, scores);
        break;
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_f32)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                              size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    (void)prefetch;
    score(ELEMENT_F32, n, d, c, x, w, ldw, *scores);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_bf16)(size_t n, size_t d, size_t c, const void *const *x, const float *w,
                               size_t ldw, const struct scores *scores, struct prefetch *prefetch)
{
    (void)prefetch;
    score(ELEMENT_BF16, n, d, c, x, w, ldw, *scores);
}
