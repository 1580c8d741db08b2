/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx512bf16.c sources. VDPBF16PS multiplies 32 pairs of bf16 and adds the products, two by
 * two, to 16 f32: twice the products of an FMA. The products are exact. The two additions round one after the other, to
 * nearest. Subnormal numbers count as 0, whatever MXCSR says. */
#ifndef DOWNHILL_AVX512BF16_H
#define DOWNHILL_AVX512BF16_H

#include "simd/avx512.h"

enum { BF16X32 = 32 };

DOWNHILL_INLINE __mmask32 first_lanes_x32(size_t count)
{
    return (__mmask32)(count >= BF16X32 ? 0xFFFFFFFFu : (UINT32_C(1) << count) - 1u);
}

/* Loads 32 features of a row, from feature k on. Lanes that are off are 0. */
DOWNHILL_INLINE __m512i some_features_x32(__mmask32 lanes, const void *row, size_t k)
{
    return _mm512_maskz_loadu_epi16(lanes, (const uint16_t *)row + k);
}

DOWNHILL_INLINE __m512 add_products(__m512 sum, __m512i a_bf16x32, __m512i b_bf16x32)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a_bf16x32, (__m512bh)b_bf16x32);
}

/* Number of bf16 terms per weight. Their sum is the weight to within 2⁻¹⁷ of it (slightly more from 0x1.FFp127 on). */
enum { TERMS = 2 };

struct terms_x32 {
    __m512i high, low;
};

/* Splits 32 weights into terms. A high term that would round to infinity is clamped to the largest finite bf16. The low
 * term of an infinite weight is infinite. A NaN stays a NaN. */
DOWNHILL_INLINE struct terms_x32 split_x32(const float *w, size_t count)
{
    const __m512 max = _mm512_set1_ps(0x1.FEp127f), min = _mm512_set1_ps(-0x1.FEp127f);
    const __m512 w_0 = _mm512_maskz_loadu_ps(first_lanes_x16(count), w);
    const __m512 w_1 =
        _mm512_maskz_loadu_ps(first_lanes_x16(count < F32X16 ? 0 : count - F32X16), w + F32X16);
    struct terms_x32 terms;
    terms.high = (__m512i)_mm512_cvtne2ps_pbh(_mm512_max_ps(min, _mm512_min_ps(max, w_1)),
                                              _mm512_max_ps(min, _mm512_min_ps(max, w_0)));
    const __m512 high_0 = widened_x16(_mm512_castsi512_si256(terms.high));
    const __m512 high_1 = widened_x16(_mm512_extracti64x4_epi64(terms.high, 1));
    terms.low =
        (__m512i)_mm512_cvtne2ps_pbh(_mm512_sub_ps(w_1, high_1), _mm512_sub_ps(w_0, high_0));
    return terms;
}

/* Returns whether bf16 represents every dscore exactly; c <= 16. */
DOWNHILL_INLINE int fit_bf16(size_t n, size_t c, const float *dscores, size_t ldds)
{
    const __mmask16 lanes = first_lanes_x16(c);
    __m512i all = _mm512_setzero_si512();
    for (size_t i = 0; i < n; i++)
        all = _mm512_or_si512(all, _mm512_maskz_loadu_epi32(lanes, dscores + i * ldds));
    return _mm512_test_epi32_mask(all, _mm512_set1_epi32(0xFFFF)) == 0;
}

/* Stores 32 sums in the order of their features, or adds them to the stored ones. `low` holds
 * features 8p … 8p+3 and `high` 8p+4 … 8p+7 in each 128-bit part p, which is how unpacking two
 * rows orders them. */
DOWNHILL_INLINE void put_in_order(__m512 low, __m512 high, __mmask32 lanes, unsigned accumulate,
                                  float *to)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512d low_f64x8 = _mm512_castps_pd(low), high_f64x8 = _mm512_castps_pd(high);
    const __mmask16 lanes_0 = (__mmask16)lanes, lanes_1 = (__mmask16)(lanes >> F32X16);
    __m512 sum_0 = _mm512_castpd_ps(_mm512_permutex2var_pd(low_f64x8, first, high_f64x8));
    __m512 sum_1 = _mm512_castpd_ps(_mm512_permutex2var_pd(low_f64x8, second, high_f64x8));
    if (accumulate) {
        sum_0 = _mm512_add_ps(sum_0, _mm512_maskz_loadu_ps(lanes_0, to));
        sum_1 = _mm512_add_ps(sum_1, _mm512_maskz_loadu_ps(lanes_1, to + F32X16));
    }
    _mm512_mask_storeu_ps(to, lanes_0, sum_0);
    _mm512_mask_storeu_ps(to + F32X16, lanes_1, sum_1);
}

#endif
