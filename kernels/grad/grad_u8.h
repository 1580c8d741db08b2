/* SPDX-License-Identifier: MIT
 *
 * Code shared by the gradients of bytes, for a single sample and for dscores that are too large for the instruction of
 * an ISA level. The compiler vectorises the plain loops with the instructions of the level. */
#ifndef DOWNHILL_GRAD_U8_H
#define DOWNHILL_GRAD_U8_H

#include "isa/kernels.h"
#include "simd/prefetch.h"

#include <immintrin.h>

/* The classes of a tile. The first ones interleave the rows and leave a copy for the others; FIRST_FAR prefetches along
 * the rows too. */
enum { OTHERS, FIRST, FIRST_FAR };

/* Prefetches a later line of some rows, the one that holds the last byte of a vector that far ahead. It is always inlined,
 * because GCC assumes that a function that only prefetches has no effect and removes calls to it. */
DOWNHILL_INLINE void prefetch_rows(const int rows, const void *const *x, size_t k)
{
    enum { AHEAD = 2 * LINE_BYTES - 1 };
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        _mm_prefetch((const char *)x[r] + k + AHEAD, _MM_HINT_T0);
}

/* Computes the gradient of one sample. There is nothing to sum it with, so the stores bound it. A byte widened to 32
 * bits is a pair of 16-bit integers with 0 in the upper one. VPMADDWD therefore multiplies it by a dscore in one
 * micro-operation, where VPMULLD takes two or three. */
DOWNHILL_INLINE void one_sample(size_t d, size_t c, const uint8_t *x, const int16_t *g,
                                unsigned flags, int32_t *dw, size_t lddw, int32_t *db)
{
    enum { LANES = 8 };
    const __m256i zero = _mm256_setzero_si256();
    for (size_t j = 0; j < c; j++) {
        int32_t *dwj = dw + j * lddw;
        if (db != NULL)
            db[j] = wrapped_sum(db[j], g[j]);
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

/* Adds g·x for each dscore outside [-max, max], one by one. The hinge loss has at most one of them per sample, that of
 * the label, and only if there are more than `max` classes. */
DOWNHILL_INLINE void add_outliers(const int max, size_t n, size_t d, size_t c, const void *const *x,
                                  const int16_t *dscores, size_t ldds, int32_t *dw, size_t lddw,
                                  int32_t *db)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < c; j++) {
            const int32_t g = dscores[i * ldds + j];
            const uint8_t *restrict xi = x[i];
            int32_t *restrict dwj = dw + j * lddw;
            if (g >= -max && g <= max)
                continue;
            if (db != NULL)
                db[j] = wrapped_sum(db[j], g);
            for (size_t k = 0; k < d; k++)
                dwj[k] = wrapped_sum(dwj[k], g * xi[k]);
        }
}

#endif
