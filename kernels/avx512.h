/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_avx512.c sources. */
#ifndef DOWNHILL_AVX512_H
#define DOWNHILL_AVX512_H

#include "tiles.h"

#include <immintrin.h>
#include <stdint.h>

enum { F32X16 = 16 };

/* The value, in a register from here on. GCC otherwise folds a load that has several uses into each
 * of them, and a loop that should be bound by its FMAs is bound by its loads. */
DOWNHILL_INLINE __m512 in_register_x16(__m512 v)
{
    __asm__("" : "+v"(v));
    return v;
}

/* Mask of the first `count` lanes; every lane from 16 on. A masked load or store touches no memory
 * behind a lane that is off. */
DOWNHILL_INLINE __mmask16 first_lanes_x16(size_t count)
{
    return (__mmask16)(count >= F32X16 ? 0xFFFFu : (1u << count) - 1u);
}

#endif
