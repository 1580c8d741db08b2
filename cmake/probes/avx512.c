/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the avx512 level (F, BW, DQ, VL). */
#define DOWNHILL_LEVEL_NAME avx512
#include "isa/target.h"

#include <immintrin.h>

float downhill_probe(const float *p);

DOWNHILL_TARGET float downhill_probe(const float *p)
{
    const __mmask16 lanes =
        _mm512_cmp_ps_mask(_mm512_set1_ps(*p), _mm512_setzero_ps(), _CMP_NLE_UQ);
    const __m512 v = _mm512_maskz_scalef_ps(lanes, _mm512_maskz_loadu_ps(lanes, p),
                                            _mm512_roundscale_ps(_mm512_set1_ps(*p), 8));
    const __m256 h = _mm256_maskz_add_ps((__mmask8)lanes, _mm512_extractf32x8_ps(v, 1),
                                         _mm512_castps512_ps256(v));
    const __m512i bytes = _mm512_maskz_abs_epi8(~(__mmask64)0, _mm512_castps_si512(v));
    return _mm256_cvtss_f32(h) + _mm512_reduce_add_ps(_mm512_castsi512_ps(bytes));
}
