/* SPDX-License-Identifier: MIT
 *
 * Computes e^t for t <= 0 in 8 lanes; see softmax.h. Unless `fused`, each operation rounds by itself, and the bits are
 * those of exp_scalar.h. */
#ifndef DOWNHILL_EXP_AVX2_H
#define DOWNHILL_EXP_AVX2_H

#include "simd/avx2.h"
#include "softmax/softmax.h"

/* Returns a·b + c, rounded once if `fused`, else twice. */
DOWNHILL_INLINE __m256 multiply_add_x8(const int fused, __m256 a, __m256 b, __m256 c)
{
    if (fused)
        return _mm256_fmadd_ps(a, b, c);
    __m256 product = _mm256_mul_ps(a, b);
    DOWNHILL_ROUND(product);
    return _mm256_add_ps(product, c);
}

DOWNHILL_INLINE __m256 exp_f32x8(const int fused, __m256 t)
{
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(t, _mm256_set1_ps(EXP_LOG2E)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = multiply_add_x8(fused, n, _mm256_set1_ps(-EXP_LN2_HI), t);
    r = multiply_add_x8(fused, n, _mm256_set1_ps(-EXP_LN2_LO), r);
    __m256 p = multiply_add_x8(fused, _mm256_set1_ps(EXP_C6), r, _mm256_set1_ps(EXP_C5));
    p = multiply_add_x8(fused, p, r, _mm256_set1_ps(EXP_C4));
    p = multiply_add_x8(fused, p, r, _mm256_set1_ps(EXP_C3));
    p = multiply_add_x8(fused, p, r, _mm256_set1_ps(EXP_C2));
    p = multiply_add_x8(fused, p, r, _mm256_set1_ps(1.0f));
    p = multiply_add_x8(fused, p, r, _mm256_set1_ps(1.0f));
    /* Builds 2ⁿ from its exponent field. n is in [-126, 0] in every lane whose result is kept. */
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    const __m256 scale = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
    /* "Not less than" is true for NaN, which must come out as NaN. */
    const __m256 normal = _mm256_cmp_ps(t, _mm256_set1_ps(EXP_MIN_ARG), _CMP_NLT_UQ);
    return _mm256_and_ps(normal, _mm256_mul_ps(p, scale));
}

#endif
