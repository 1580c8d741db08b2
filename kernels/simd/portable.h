/* SPDX-License-Identifier: MIT
 *
 * Helpers shared by the *_scalar.c sources, which define in plain C what each kernel computes. They are compiled once
 * without vectorisation (level scalar), and once per SIMD level with the compiler free to vectorise (levels auto_…).
 * `#pragma omp simd` permits the compiler to reorder a sum. It takes effect in the auto levels (-fopenmp-simd) and is
 * ignored in the scalar level. */
#ifndef DOWNHILL_PORTABLE_H
#define DOWNHILL_PORTABLE_H

#include "isa/kernels.h"
#include "simd/prefetch.h"

#include <stdint.h>
#include <string.h>

/* Goes before a loop of constant length. Clang 14 would unroll the loop before it tries to vectorise it, and then
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

/* Returns feature k of a row as f32. */
DOWNHILL_INLINE float feature(enum element element, const void *row, size_t k)
{
    return element == ELEMENT_F32
               ? ((const float *)row)[k]
               : float_of_bits((int32_t)((uint32_t)((const uint16_t *)row)[k] << 16));
}

#endif
