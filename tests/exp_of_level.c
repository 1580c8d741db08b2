/* SPDX-License-Identifier: MIT
 *
 * Computes the exponential of one level for an array, with FMA if `fused` and if the level has one
 * with FMA. Compiled once per level, with its flags and target. */
#include <stddef.h>

void EXP_NAME(int fused, const float *t, float *e, size_t count);

#if defined EXP_AVX512
#define DOWNHILL_LEVEL_NAME avx512
#include "softmax/exp_avx512.h"
DOWNHILL_TARGET
void EXP_NAME(int fused, const float *t, float *e, size_t count)
{
    for (size_t i = 0; i < count; i += 16) {
        const __m512 v = _mm512_loadu_ps(t + i);
        _mm512_storeu_ps(e + i, fused ? exp_f32x16(1, v) : exp_f32x16(0, v));
    }
}
#elif defined EXP_AVX2
#define DOWNHILL_LEVEL_NAME avx2
#include "softmax/exp_avx2.h"
DOWNHILL_TARGET
void EXP_NAME(int fused, const float *t, float *e, size_t count)
{
    for (size_t i = 0; i < count; i += 8) {
        const __m256 v = _mm256_loadu_ps(t + i);
        _mm256_storeu_ps(e + i, fused ? exp_f32x8(1, v) : exp_f32x8(0, v));
    }
}
#else
#include "softmax/exp_scalar.h"
void EXP_NAME(int fused, const float *t, float *e, size_t count)
{
    (void)fused;
    for (size_t i = 0; i < count; i++)
        e[i] = exp_scalar(0, t[i]);
}
#endif
