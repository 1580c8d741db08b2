/* SPDX-License-Identifier: MIT
 *
 * What the gradients of bytes share: a single sample, and dscores that are too large for the
 * instruction of a level. Plain loops, which the compiler vectorises at the level's flags. */
#ifndef DOWNHILL_GRAD_U8_H
#define DOWNHILL_GRAD_U8_H

#include "isa/kernels.h"

#include <immintrin.h>

/* One sample has nothing to be summed with: it is bound by the stores. A byte widened to 32 bits is a
 * pair of 16 bits with 0 in the upper, so that VPMADDWD makes its product with a dscore, in one
 * operation to the two or three of VPMULLD. */
DOWNHILL_INLINE void one_sample(size_t d, size_t c, const uint8_t *x, const int16_t *g,
                                unsigned flags, int32_t *dw, size_t lddw)
{
    enum { LANES = 8 };
    const __m256i zero = _mm256_setzero_si256();
    for (size_t j = 0; j < c; j++) {
        int32_t *dwj = dw + j * lddw;
        const __m256i gj = _mm256_set1_epi16(g[j]);
        size_t k = 0;
        for (; k + LANES <= d; k += LANES) {
            const __m256i x_i32x8 = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(x + k)));
            const __m256i before =
                flags & GRAD_ACCUMULATE ? _mm256_loadu_si256((const void *)(dwj + k)) : zero;
            _mm256_storeu_si256((void *)(dwj + k),
                                _mm256_add_epi32(before, _mm256_madd_epi16(x_i32x8, gj)));
        }
        for (; k < d; k++)
            dwj[k] = wrapped_sum(flags & GRAD_ACCUMULATE ? dwj[k] : 0, g[j] * x[k]);
    }
}

/* dw += g·x for the dscores beyond [-most, most], one by one. The hinge loss has at most one in a
 * sample, at its label, and only where there are more classes than that. */
DOWNHILL_INLINE void add_outliers(const int most, size_t n, size_t d, size_t c,
                                  const void *const *x, downhill_dscores dscores, int32_t *dw,
                                  size_t lddw)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const int32_t g = dscores[i][j];
            const uint8_t *restrict xi = x[i];
            int32_t *restrict dwj = dw + j * lddw;
            if (g >= -most && g <= most)
                continue;
            for (size_t k = 0; k < d; k++)
                dwj[k] = wrapped_sum(dwj[k], g * xi[k]);
        }
}

#endif
