/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the avx512vnni level, in addition to AVX-512. */
#define DOWNHILL_LEVEL_NAME avx512vnni
#include "isa/target.h"

#include <immintrin.h>

int downhill_probe(const int *p);

DOWNHILL_TARGET int downhill_probe(const int *p)
{
    const __m512i v = _mm512_loadu_si512(p);
    return _mm512_cvtsi512_si32(_mm512_dpbusd_epi32(v, v, v));
}
