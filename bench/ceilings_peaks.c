/* SPDX-License-Identifier: MIT
 *
 * The most operations on registers: f32 FMAs, and products of pairs of bf16. */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/levels.h"
#include "tiles.h"

#if defined __x86_64__
#include <immintrin.h>
#define TARGET(features) __attribute__((target(features), noinline))

/* Sixteen and twelve independent sums: two units with a latency of 4 or 5 cycles need 10. */
enum { SUMS_X16 = 16, SUMS_X8 = 12 };

TARGET("avx512f") static void fma_x16(const ceiling_task *task)
{
    __m512 sum[SUMS_X16];
    const __m512 a = _mm512_set1_ps(task->buffer[0]), b = _mm512_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_set1_ps((float)s);
    for (size_t i = 0; i < task->count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_fmadd_ps(sum[s], b, a);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X16; s++)
        sum[0] = _mm512_add_ps(sum[0], sum[s]);
    task->buffer[0] = 0.0f * _mm512_cvtss_f32(sum[0]);
}

#if DOWNHILL_HAVE_AVX512BF16
TARGET("avx512f,avx512bf16") static void dot_x32(const ceiling_task *task)
{
    __m512 sum[SUMS_X16];
    const __m512bh a = (__m512bh)_mm512_set1_ps(task->buffer[0]),
                   b = (__m512bh)_mm512_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_set1_ps((float)s);
    for (size_t i = 0; i < task->count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_dpbf16_ps(sum[s], a, b);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X16; s++)
        sum[0] = _mm512_add_ps(sum[0], sum[s]);
    task->buffer[0] = 0.0f * _mm512_cvtss_f32(sum[0]);
}

#endif

#if DOWNHILL_HAVE_AMX
/* Four independent products, as many as the kernels have, on full tiles of zeros. */
TARGET("amx-tile,amx-bf16") static void dot_tiles(const ceiling_task *task)
{
    uint8_t shapes[64] = {1}; /* palette; row bytes from 16 on, rows from 48 on */
    for (size_t tile = 0; tile < 8; tile++) {
        shapes[16 + 2 * tile] = 64;
        shapes[48 + tile] = 16;
    }
    __asm__ volatile("" : : "r"(shapes) : "memory");
    _tile_loadconfig(shapes);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (size_t i = 0; i < task->count; i++) {
        _tile_dpbf16ps(0, 4, 5);
        _tile_dpbf16ps(1, 4, 5);
        _tile_dpbf16ps(2, 4, 5);
        _tile_dpbf16ps(3, 4, 5);
    }
    _tile_release();
}
#endif

TARGET("avx2,fma") static void fma_x8(const ceiling_task *task)
{
    __m256 sum[SUMS_X8];
    const __m256 a = _mm256_set1_ps(task->buffer[0]), b = _mm256_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X8; s++)
        sum[s] = _mm256_set1_ps((float)s);
    for (size_t i = 0; i < task->count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X8; s++) {
            sum[s] = _mm256_fmadd_ps(sum[s], b, a);
            __asm__ volatile("" : "+x"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X8; s++)
        sum[0] = _mm256_add_ps(sum[0], sum[s]);
    task->buffer[0] = 0.0f * _mm256_cvtss_f32(sum[0]);
}
#endif

void ceilings_measure_peaks(ceiling_set *set, const ceiling_crew *crew)
{
    /* Operations of a call: a multiplication and an addition are two. */
    const double calls = 2.0 * (double)crew->tasks[0].count;
#if defined __x86_64__
    if (levels_cpu_has("avx2") && levels_cpu_has("fma"))
        ceilings_keep(&set->fma_avx2, 8 * SUMS_X8 * calls * ceilings_rate(crew, fma_x8));
    if (levels_cpu_has("avx512f"))
        ceilings_keep(&set->fma_avx512, 16 * SUMS_X16 * calls * ceilings_rate(crew, fma_x16));
#if DOWNHILL_HAVE_AVX512BF16
    if (levels_cpu_has("avx512bf16"))
        ceilings_keep(&set->dot_avx512bf16, 32 * SUMS_X16 * calls * ceilings_rate(crew, dot_x32));
#endif
#if DOWNHILL_HAVE_AMX
    const downhill_kernels *amx; /* selected: with the permission that it takes */
    if (downhill_select("amx", &amx, NULL, 0) == DOWNHILL_OK)
        ceilings_keep(&set->dot_amx, 16 * 16 * 32 * 4 * calls * ceilings_rate(crew, dot_tiles));
#endif
#endif
    (void)set, (void)calls;
}
