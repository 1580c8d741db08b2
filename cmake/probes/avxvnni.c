/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the avxvnni level, in addition to AVX2. */
#define DOWNHILL_LEVEL_NAME avxvnni
#include "isa/target.h"

#include <immintrin.h>

int downhill_probe(const int *p);

DOWNHILL_TARGET int downhill_probe(const int *p)
{
    const __m256i v = _mm256_loadu_si256((const void *)p);
    return _mm256_cvtsi256_si32(_mm256_dpbusd_avx_epi32(v, v, v));
}
