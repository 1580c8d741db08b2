/* SPDX-License-Identifier: MIT
 *
 * Scores of rows of at most 16 features with AVX-512F, with the classes along the lanes, as in score_short_f32_avx2.c.
 *
 * 16 vectors of weights stay in registers while the rows pass: up to 4 features of 64 classes, 8 of 32 or 16 of 16. Per row
 * they take at most 16 broadcasts, 16 FMAs and 8 to 20 additions: 8 to 10 cycles where additions have units of their own
 * (Zen 5), 12 to 18 where they share those of the FMAs (Skylake-SP and later).
 *
 * Rows are first copied as f32, with zeros after the last feature, so that no memory after a row is read. They are copied 32
 * at a time, so that the wide store of a row has completed before its features are broadcast. */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/kernels.h"
#include "simd/avx512.h"

enum { FEATURES_MAX = 16, SUMS = 8, VECTORS_MAX = 4, ROWS = 32 };

/* Returns the sum of one feature in each 8, for 16 classes. */
DOWNHILL_INLINE __m512 sum_of(const int features, const int first, const __m512 x_f32x16[],
                              const __m512 w_f32x16[])
{
    __m512 sum = _mm512_setzero_ps();
    DOWNHILL_UNROLL
    for (int k = first; k < features; k += SUMS)
        sum = _mm512_fmadd_ps(x_f32x16[k], w_f32x16[k], sum);
    return sum;
}

/* Returns the total of four sums: those 2 apart are added first. */
DOWNHILL_INLINE __m512 total_of_4(const int features, const int first, const __m512 x_f32x16[],
                                  const __m512 w_f32x16[])
{
    const __m512 even = _mm512_add_ps(sum_of(features, first, x_f32x16, w_f32x16),
                                      sum_of(features, first + 2, x_f32x16, w_f32x16)),
                 odd = _mm512_add_ps(sum_of(features, first + 1, x_f32x16, w_f32x16),
                                     sum_of(features, first + 3, x_f32x16, w_f32x16));
    return _mm512_add_ps(even, odd);
}

/* Sets the scores of c classes, in `vectors` vectors. */
DOWNHILL_INLINE void rows_of(const int features, const int vectors, size_t n, size_t c,
                             const float *x, const float *w, struct scores scores)
{
    const int stride = SHORT_WEIGHTS_X16 / features;
    __m512 w_f32x16[VECTORS_MAX][FEATURES_MAX];
    DOWNHILL_UNROLL
    for (int v = 0; v < vectors; v++)
        for (int k = 0; k < features; k++)
            w_f32x16[v][k] = in_register_x16(_mm512_loadu_ps(w + k * stride + F32X16 * v));
    const size_t full = F32X16 * (size_t)(vectors - 1);
    const __mmask16 last = first_lanes_x16(c - full);
    for (size_t i = 0; i < n; i++, x += features, scores = scores_at(scores, 1, 0)) {
        __m512 x_f32x16[FEATURES_MAX];
        DOWNHILL_UNROLL
        for (int k = 0; k < features; k++) {
            x_f32x16[k] = _mm512_set1_ps(x[k]);
            if (vectors > 1)
                x_f32x16[k] = in_register_x16(x_f32x16[k]);
        }
        DOWNHILL_UNROLL
        for (int v = 0; v < vectors; v++) {
            const __mmask16 lanes = v < vectors - 1 ? (__mmask16)0xFFFF : last;
            /* The upper sums of a row of 4 features are 0. They are added too, because they make a sum of -0, the product
             * of an underflow, +0. */
            const __m512 low = total_of_4(features, 0, x_f32x16, w_f32x16[v]),
                         high = features > 4 ? total_of_4(features, 4, x_f32x16, w_f32x16[v])
                                             : _mm512_setzero_ps(),
                         from = _mm512_maskz_loadu_ps(lanes, scores.from + F32X16 * v);
            _mm512_mask_storeu_ps(scores.to + F32X16 * v, lanes,
                                  _mm512_add_ps(from, _mm512_add_ps(low, high)));
        }
    }
}

/* One function per size, so that the compiler allocates the registers of each loop for itself. */
#define ROWS_OF(name, features, vectors)                                                           \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(size_t n, size_t c, const float *x, const float *w, \
                                               const struct scores *scores)                        \
    {                                                                                              \
        rows_of(features, vectors, n, c, x, w, *scores);                                           \
    }

ROWS_OF(rows_4_1, 4, 1)
ROWS_OF(rows_4_2, 4, 2)
ROWS_OF(rows_4_3, 4, 3)
ROWS_OF(rows_4_4, 4, 4)
ROWS_OF(rows_8_1, 8, 1)
ROWS_OF(rows_8_2, 8, 2)
ROWS_OF(rows_16_1, 16, 1)

typedef void rows_kernel(size_t n, size_t c, const float *x, const float *w,
                         const struct scores *scores);

/* By the number of vectors, minus 1. */
static rows_kernel *const rows_4[] = {rows_4_1, rows_4_2, rows_4_3, rows_4_4};
static rows_kernel *const rows_8[] = {rows_8_1, rows_8_2};
static rows_kernel *const rows_16[] = {rows_16_1};

/* Copies the features of the lanes that are on, with zeros in the others. Loads of f32 are no wider than the copy: a masked load that
 * reaches into a page that is not there takes a microcode assist. */
DOWNHILL_INLINE void copy_row(const enum element element, const size_t features, __mmask16 lanes,
                              const void *row, float *to)
{
    if (features == 16)
        _mm512_store_ps(to, some_features_x16(element, lanes, row, 0));
    else if (element == ELEMENT_BF16)
        _mm512_mask_storeu_ps(
            to, first_lanes_x16(features),
            widened_x16(_mm256_castsi128_si256(_mm_maskz_loadu_epi16((__mmask8)lanes, row))));
    else if (features == 8)
        _mm256_store_ps(to, _mm256_maskz_loadu_ps((__mmask8)lanes, row));
    else
        _mm_store_ps(to, _mm_maskz_loadu_ps((__mmask8)lanes, row));
}

DOWNHILL_INLINE void copy_rows(const enum element element, size_t n, size_t d, size_t features,
                               const void *const *x, float *to)
{
    const __mmask16 lanes = first_lanes_x16(d);
    if (features == 4)
        for (size_t i = 0; i < n; i++)
            copy_row(element, 4, lanes, x[i], to + i * 4);
    else if (features == 8)
        for (size_t i = 0; i < n; i++)
            copy_row(element, 8, lanes, x[i], to + i * 8);
    else
        for (size_t i = 0; i < n; i++)
            copy_row(element, 16, lanes, x[i], to + i * 16);
}

DOWNHILL_INLINE void rows(const enum element element, size_t n, size_t d, size_t c,
                          const void *const *x, const float *w, const struct scores *scores)
{
    const size_t features = short_features(d), width = SHORT_WEIGHTS_X16 / features;
    rows_kernel *const *const kernels = features == 4 ? rows_4 : features == 8 ? rows_8 : rows_16;
    for (size_t i = 0, count; i < n; i += count) {
        _Alignas(64) float copy[ROWS * F32X16];
        count = n - i < ROWS ? n - i : ROWS;
        copy_rows(element, count, d, features, x + i, copy);
        for (size_t j = 0; j < c; j += width) {
            const size_t classes = c - j < width ? c - j : width;
            const struct scores scores_ij = scores_at(*scores, i, j);
            kernels[(classes - 1) / F32X16](count, classes, copy, w + j * features, &scores_ij);
        }
    }
}

DOWNHILL_TARGET
void DOWNHILL_NAME(score_short_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                    const float *w, const struct scores *scores,
                                    struct prefetch *prefetch)
{
    (void)prefetch; /* a row is at most two cache lines */
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
