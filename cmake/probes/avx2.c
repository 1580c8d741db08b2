/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the avx2 level. */
#define DOWNHILL_LEVEL_NAME avx2
#include "isa/target.h"

#include <immintrin.h>

float downhill_probe(const float *p);

DOWNHILL_TARGET float downhill_probe(const float *p)
{
    const __m256i lanes = _mm256_cmpgt_epi32(_mm256_set1_epi32(3), _mm256_setzero_si256());
    const __m256 v = _mm256_fmadd_ps(_mm256_maskload_ps(p, lanes), _mm256_broadcast_ss(p),
                                     _mm256_cvtph_ps(_mm_setzero_si128()));
    return _mm256_cvtss_f32(v);
}
