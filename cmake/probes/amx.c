/* SPDX-License-Identifier: MIT
 * Compiles if the toolchain supports the instructions of the amx level, in addition to AVX512-BF16. */
#define DOWNHILL_LEVEL_NAME amx
#include "isa/target.h"

#include <immintrin.h>

void downhill_probe(const void *shapes, float *p);

DOWNHILL_TARGET void downhill_probe(const void *shapes, float *p)
{
    _tile_loadconfig(shapes);
    _tile_zero(0);
    _tile_loadd(1, p, 64);
    _tile_loadd(2, p, 64);
    _tile_dpbf16ps(0, 1, 2);
    _tile_dpbusd(0, 1, 2);
    _tile_dpbsud(0, 1, 2);
    _tile_stored(0, p, 64);
    _tile_release();
    _mm512_storeu_ps(p, _mm512_dpbf16_ps(_mm512_setzero_ps(), (__m512bh)_mm512_setzero_si512(),
                                         (__m512bh)_mm512_setzero_si512()));
}
