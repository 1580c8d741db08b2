/* SPDX-License-Identifier: MIT
 *
 * Computes the exponential of one level for an array. Compiled once per level, with its flags
 * and target. */
#include <stddef.h>

void EXP_NAME(const float *t, float *e, size_t count);

#if defined EXP_AVX512
#define DOWNHILL_LEVEL_NAME avx512
#include "softmax/exp_avx512.h"
DOWNHILL_TARGET
void EXP_NAME(const float *t, float *e, size_t count)
{
    for (size_t i = 0; i < count; i += 16)
        _mm512_storeu_ps(e + i, exp_f32x16(1, _mm512_loadu_ps(t + i)));
}
#elif defined EXP_AVX2
#define DOWNHILL_LEVEL_NAME avx2
#include "softmax/exp_avx2.h"
DOWNHILL_TARGET
void EXP_NAME(const float *t, float *e, size_t count)
{
    for (size_t i = 0; i < count; i += 8)
        _mm256_storeu_ps(e + i, exp_f32x8(1, _mm256_loadu_ps(t + i)));
}
#else
#include "softmax/exp_scalar.h"
void EXP_NAME(const float *t, float *e, size_t count)
{
    for (size_t i = 0; i < count; i++)
        e[i] = exp_scalar(0, t[i]);
}
#endif
