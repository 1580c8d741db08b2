/* SPDX-License-Identifier: MIT
 *
 * Loops that measure peaks: f32 FMAs and products of pairs of bf16, on registers.
 *
 * The result depends on the operands. Sums that decay into subnormals cost an assist of more than a
 * hundred cycles per FMA on Intel. Zeros and constants draw less power, so that the clock may be
 * higher than with data. The compiler folds operations on known values. Therefore the constants are
 * opaque, each lane has its own dense mantissa, and the sums alternate between bounds for any
 * number of rounds. */
#define _GNU_SOURCE
#include "ceilings.h"
#include "ceilings_tiles.h"

#include "simd/tiles.h"

#if defined __x86_64__
#include <immintrin.h>
#define TARGET(features) __attribute__((target(features), noinline))

/* Independent sums: two units with a latency of 4 or 5 cycles need 10. */
enum { SUMS_X16 = 16, SUMS_X8 = 12 };

/* sum = sum·FACTOR + SUMMAND, with alternating factors. Their product is -0.9999, so that a sum
 * oscillates around a fixed value. The amplitude shrinks slowly: after the 10,000 rounds of a call
 * it is still more than half of the first one. */
#define FACTOR_1 1.2713469f
#define FACTOR_2 -0.7864881f
static const float summands[16] = {
    0.9170123f, 0.9713871f, 1.0265113f, 1.0811987f, 1.1373911f, 1.1917043f, 1.2470957f, 1.3021361f,
    1.3571189f, 1.4122043f, 1.4671877f, 1.5222131f, 1.5771947f, 1.6322183f, 1.6873219f, 1.7421991f};

TARGET("avx512f") static void fma_x16(const ceiling_task *task)
{
    __m512 sum[SUMS_X16], a = _mm512_set1_ps(FACTOR_1), b = _mm512_set1_ps(FACTOR_2),
                          c = _mm512_loadu_ps(summands);
    __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c));
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_add_ps(c, _mm512_set1_ps((float)s / 32.0f));
    for (size_t i = 0; i < task->count; i += 2) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_fmadd_ps(sum[s], a, c);
            __asm__ volatile("" : "+v"(sum[s]));
        }
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_fmadd_ps(sum[s], b, c);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
}

TARGET("avx2,fma") static void fma_x8(const ceiling_task *task)
{
    __m256 sum[SUMS_X8], a = _mm256_set1_ps(FACTOR_1), b = _mm256_set1_ps(FACTOR_2),
                         c = _mm256_loadu_ps(summands);
    __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c));
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X8; s++)
        sum[s] = _mm256_add_ps(c, _mm256_set1_ps((float)s / 32.0f));
    for (size_t i = 0; i < task->count; i += 2) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X8; s++) {
            sum[s] = _mm256_fmadd_ps(sum[s], a, c);
            __asm__ volatile("" : "+x"(sum[s]));
        }
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X8; s++) {
            sum[s] = _mm256_fmadd_ps(sum[s], b, c);
            __asm__ volatile("" : "+x"(sum[s]));
        }
    }
}

#if DOWNHILL_HAVE_AVX512BF16
/* Multiplies pairs of bf16 between 1 and 2. Each round subtracts the products that the round before
 * it added. */
TARGET("avx512f,avx512bf16") static void dot_x32(const ceiling_task *task)
{
    enum { LANES = 32 };
    uint16_t a_lanes[LANES], b_lanes[LANES], minus_b_lanes[LANES];
    for (int i = 0; i < LANES; i++) {
        a_lanes[i] = (uint16_t)(0x3F80 + i * 3 % 0x7F);
        b_lanes[i] = (uint16_t)(0x3F80 + i * 5 % 0x7F);
        minus_b_lanes[i] = (uint16_t)(b_lanes[i] | 0x8000);
    }
    __m512 sum[SUMS_X16];
    __m512i a = _mm512_loadu_si512(a_lanes), b = _mm512_loadu_si512(b_lanes),
            minus_b = _mm512_loadu_si512(minus_b_lanes);
    __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(minus_b));
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_add_ps(_mm512_loadu_ps(summands), _mm512_set1_ps((float)s / 32.0f));
    for (size_t i = 0; i < task->count; i += 2) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_dpbf16_ps(sum[s], (__m512bh)a, (__m512bh)b);
            __asm__ volatile("" : "+v"(sum[s]));
        }
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_dpbf16_ps(sum[s], (__m512bh)a, (__m512bh)minus_b);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
}
#else
#define dot_x32 NULL
#endif

#if DOWNHILL_HAVE_AMX
enum { TILE_BF16 = TILE_ROWS * TILE_ROW_BYTES / 2 };

/* Makes TILE_PRODUCTS independent products per round. Each round subtracts the products that the
 * round before it added. */
TARGET("amx-tile,amx-bf16") static void dot_tiles(const ceiling_task *task)
{
    uint16_t a[TILE_BF16], b[TILE_BF16], minus_b[TILE_BF16];
    for (int i = 0; i < TILE_BF16; i++) { /* between 1 and 2 */
        a[i] = (uint16_t)(0x3F80 + i % 0x7F);
        b[i] = (uint16_t)(0x3F80 + i * 5 % 0x7F);
        minus_b[i] = (uint16_t)(b[i] | 0x8000);
    }
    __asm__ volatile("" : : "r"(a), "r"(b), "r"(minus_b) : "memory");
    tiles_begin();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, a, TILE_ROW_BYTES);
    _tile_loadd(5, b, TILE_ROW_BYTES);
    _tile_loadd(6, minus_b, TILE_ROW_BYTES);
    for (size_t i = 0; i < task->count; i += 2) {
        _tile_dpbf16ps(0, 4, 5);
        _tile_dpbf16ps(1, 4, 5);
        _tile_dpbf16ps(2, 4, 5);
        _tile_dpbf16ps(3, 4, 5);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 6);
        _tile_dpbf16ps(2, 4, 6);
        _tile_dpbf16ps(3, 4, 6);
    }
    _tile_release();
}
#else
#define dot_tiles NULL
#endif
#endif

ceiling_loop ceilings_loop(enum ceiling_peak_id id)
{
#if defined __x86_64__
    static const ceiling_loop loops[PEAK_COUNT] = {
#define PEAK(family, NAME, level, features, operations, instructions, min, max, loop, steps)       \
    [PEAK_##family##_##NAME] = {loop, steps},
#include "ceilings_peaks.def"
    };
    return loops[id];
#else
    (void)id;
    return (ceiling_loop){0};
#endif
}
