/* SPDX-License-Identifier: MIT
 *
 * Code shared by the gradients of bytes: for a single sample, for dscores that are too large for the instruction of
 * an ISA level, and for prefetching along the rows. */
#ifndef DOWNHILL_GRAD_U8_H
#define DOWNHILL_GRAD_U8_H

#include "isa/kernels.h"
#include "simd/prefetch.h"

#include <immintrin.h>

/* The classes of a tile. The first ones interleave the rows and leave a copy for the others; FIRST_FAR prefetches along
 * the rows too. */
enum { OTHERS, FIRST, FIRST_FAR };

/* Prefetches the line after that of feature k of each row. It is always inlined, because GCC assumes that a function
 * that only prefetches has no effect and removes calls to it. */
DOWNHILL_INLINE void prefetch_rows(const int rows, const void *const *x, size_t k)
{
    enum { AHEAD = 2 * LINE_BYTES - 1 };
    DOWNHILL_UNROLL
    for (int r = 0; r < rows; r++)
        _mm_prefetch((const char *)x[r] + k + AHEAD, _MM_HINT_T0);
}

/* Adds one sample to 8 features of a row of dW, or stores it there. A byte widened to 32 bits is a pair of 16-bit
 * integers with 0 in the upper one. VPMADDWD therefore multiplies it by a dscore in one micro-operation, where
 * VPMULLD takes two or three. */
DOWNHILL_INLINE void add_to_row(const int accumulate, __m256i g, const uint8_t *x, int32_t *row)
{
    const __m256i x_i32x8 = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)x));
    const __m256i product = _mm256_madd_epi16(x_i32x8, g);
    _mm256_storeu_si256(
        (void *)row,
        accumulate ? _mm256_add_epi32(_mm256_loadu_si256((const void *)row), product) : product);
}

DOWNHILL_INLINE void one_row(const int accumulate, size_t d, const uint8_t *x, int16_t g,
                             int32_t *row)
{
    enum { LANES = 8, VECTORS = 8 };
    const __m256i g_i16x16 = _mm256_set1_epi16(g);
    size_t k = 0;
    for (; k + LANES * VECTORS <= d; k += LANES * VECTORS) {
        DOWNHILL_UNROLL
        for (size_t v = 0; v < LANES * VECTORS; v += LANES)
            add_to_row(accumulate, g_i16x16, x + k + v, row + k + v);
    }
    for (; k + LANES <= d; k += LANES)
        add_to_row(accumulate, g_i16x16, x + k, row + k);
    for (; k < d; k++)
        row[k] = wrapped_sum(accumulate ? row[k] : 0, g * x[k]);
}

/* Computes the gradient of one sample. There is nothing to sum it with, so the stores bound it. */
DOWNHILL_INLINE void one_sample(size_t d, size_t c, const uint8_t *x, const int16_t *g,
                                unsigned flags, int32_t *dw, size_t lddw, int32_t *db)
{
    for (size_t j = 0; j < c; j++) {
        if (db != NULL)
            db[j] = wrapped_sum(db[j], g[j]);
        if (flags & GRAD_ACCUMULATE)
            one_row(1, d, x, g[j], dw + j * lddw);
        else
            one_row(0, d, x, g[j], dw + j * lddw);
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
