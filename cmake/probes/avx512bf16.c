/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the avx512bf16 level, in addition to AVX-512. */
#define DOWNHILL_LEVEL_NAME avx512bf16
#include "isa/target.h"

#include <immintrin.h>

float downhill_probe(const float *p);

DOWNHILL_TARGET float downhill_probe(const float *p)
{
    const __m512 v = _mm512_maskz_loadu_ps(1, p);
    const __m512i pair = (__m512i)_mm512_cvtne2ps_pbh(v, v);
    return _mm512_cvtss_f32(_mm512_dpbf16_ps(v, (__m512bh)pair, (__m512bh)pair));
}
