/* SPDX-License-Identifier: MIT
 *
 * For the *_scalar.c sources: the definition of what each kernel computes, in plain C. They are
 * compiled once with vectorisation off (level scalar) and once per SIMD level with the compiler
 * free to vectorise (levels auto_…). `#pragma omp simd` in them is permission to reorder a sum; it
 * is heeded in the auto levels (-fopenmp-simd) and ignored in the scalar one. */
#ifndef DOWNHILL_PORTABLE_H
#define DOWNHILL_PORTABLE_H

#include "isa/kernels.h"

#include <stdint.h>
#include <string.h>

/* Before a loop of constant length: Clang 14 unrolls it before it has tried to vectorise it, and then
 * cannot. */
#if defined __clang__
#define DOWNHILL_KEEP_LOOP _Pragma("clang loop unroll(disable)")
#else
#define DOWNHILL_KEEP_LOOP
#endif

static inline int32_t bits_of_float(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of_bits(int32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Feature k of a row. */
DOWNHILL_INLINE float feature(enum element element, const void *row, size_t k)
{
    return element == ELEMENT_F32
               ? ((const float *)row)[k]
               : float_of_bits((int32_t)((uint32_t)((const uint16_t *)row)[k] << 16));
}

#endif
