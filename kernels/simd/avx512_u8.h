/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_u8_avx512*.c sources. */
#ifndef DOWNHILL_AVX512_U8_H
#define DOWNHILL_AVX512_U8_H

#include "simd/avx512.h"

enum { U8X64 = 64, U8X32 = 32 };

DOWNHILL_INLINE __mmask32 first_bytes_x32(size_t count)
{
    return (__mmask32)(count >= U8X32 ? 0xFFFFFFFFu : (UINT32_C(1) << count) - 1u);
}

DOWNHILL_INLINE __mmask64 first_bytes_x64(size_t count)
{
    return (__mmask64)(count >= U8X64 ? UINT64_MAX : (UINT64_C(1) << count) - 1u);
}

/* Forces a value into a register at this point, so that a load with several uses is not folded into each of them. It
 * also keeps an integer accumulator in its register: GCC 12 otherwise moves it back and forth, or spills it to the
 * stack. */
DOWNHILL_INLINE __m512i in_register_i(__m512i v)
{
    __asm__("" : "+v"(v));
    return v;
}

#endif
