/* SPDX-License-Identifier: MIT
 *
 * Computes e^t for t <= 0 in 16 lanes; see softmax.h. Unless `fused`, each operation rounds by itself, and the bits are
 * those of exp_scalar.h. */
#ifndef DOWNHILL_EXP_AVX512_H
#define DOWNHILL_EXP_AVX512_H

#include "simd/avx512.h"
#include "softmax/softmax.h"

/* Returns a·b + c, rounded once if `fused`, else twice. */
DOWNHILL_INLINE __m512 multiply_add_x16(const int fused, __m512 a, __m512 b, __m512 c)
{
    if (fused)
        return _mm512_fmadd_ps(a, b, c);
    __m512 product = _mm512_mul_ps(a, b);
    DOWNHILL_ROUND(product);
    return _mm512_add_ps(product, c);
}

DOWNHILL_INLINE __m512 exp_f32x16(const int fused, __m512 t)
{
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(t, _mm512_set1_ps(EXP_LOG2E)),
                                          _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = multiply_add_x16(fused, n, _mm512_set1_ps(-EXP_LN2_HI), t);
    r = multiply_add_x16(fused, n, _mm512_set1_ps(-EXP_LN2_LO), r);
    __m512 p = multiply_add_x16(fused, _mm512_set1_ps(EXP_C6), r, _mm512_set1_ps(EXP_C5));
    p = multiply_add_x16(fused, p, r, _mm512_set1_ps(EXP_C4));
    p = multiply_add_x16(fused, p, r, _mm512_set1_ps(EXP_C3));
    p = multiply_add_x16(fused, p, r, _mm512_set1_ps(EXP_C2));
    p = multiply_add_x16(fused, p, r, _mm512_set1_ps(1.0f));
    p = multiply_add_x16(fused, p, r, _mm512_set1_ps(1.0f));
    /* Not those that are less: NaN is neither, and must come out as NaN. */
    const __mmask16 less =
        opaque_mask(_mm512_cmp_ps_mask(t, _mm512_set1_ps(EXP_MIN_ARG), _CMP_LT_OQ));
    const __mmask16 normal = (__mmask16)~less;
    return _mm512_maskz_scalef_ps(normal, p, n);
}

#endif
