/* SPDX-License-Identifier: MIT
 *
 * Loops that measure peaks on bytes: products of a feature and a weight of 16 bits, as in the
 * scores, and of a feature and a dscore of 8 bits, as in the gradient. They work on registers and
 * include the addition if it is an instruction of its own. Each lane has its own operands. Sums
 * wrap or saturate, which does not slow integer instructions. */
#define _GNU_SOURCE
#include "ceilings.h"
#include "ceilings_tiles.h"

#include "simd/tiles.h"

#if defined __x86_64__
#include <immintrin.h>

/* Independent sums: two units with a latency of 4 or 5 cycles need 10. */
enum { SUMS = 12 };

/* Dense bytes without zeros. A vector or a row of a tile may start at any of the first 16. */
static const uint8_t bytes[80] __attribute__((unused)) = {
    0x5B, 0x93, 0x2D, 0xE1, 0x47, 0xBD, 0x79, 0x15, 0xC9, 0x6F, 0xA3, 0x39, 0xF1, 0x51, 0x8D, 0x27,
    0x9D, 0x37, 0xE5, 0x6B, 0xB3, 0x59, 0xCB, 0x2F, 0x75, 0xD9, 0x4D, 0xA7, 0x1F, 0xF3, 0x65, 0x8B,
    0x3D, 0xC7, 0x57, 0xED, 0x29, 0x9B, 0x73, 0xB5, 0x4F, 0xDB, 0x67, 0x85, 0xE9, 0x33, 0xAD, 0x5B,
    0xD3, 0x6D, 0x25, 0xBB, 0x97, 0x49, 0xF5, 0x7B, 0x1D, 0xA5, 0xCD, 0x53, 0x8F, 0x35, 0xE7, 0x69,
    0xB9, 0x5D, 0xC3, 0x2B, 0x77, 0xD5, 0x4B, 0x9F, 0xEB, 0x63, 0x3B, 0xAF, 0x55, 0x87, 0xDD, 0x71};

/* Defines a loop of SUMS steps per round. `step` computes a new sum from the old one and two
 * factors. */
#define LOOP(name, features, vector, load, step)                                                   \
    __attribute__((target(features), noinline)) static void name(const ceiling_task *task)         \
    {                                                                                              \
        vector sum[SUMS], a = load((const void *)(bytes + 13)), b = load((const void *)bytes);     \
        DOWNHILL_UNROLL                                                                            \
        for (int s = 0; s < SUMS; s++) {                                                           \
            sum[s] = load((const void *)(bytes + s));                                              \
            __asm__ volatile("" : "+v"(sum[s]));                                                   \
        }                                                                                          \
        for (size_t i = 0; i < task->count; i++) {                                                 \
            DOWNHILL_UNROLL                                                                        \
            for (int s = 0; s < SUMS; s++) {                                                       \
                /* Hides the factors from the compiler, which could reuse the product. */          \
                __asm__ volatile("" : "+v"(a), "+v"(b));                                           \
                sum[s] = step(sum[s], a, b);                                                       \
                __asm__ volatile("" : "+v"(sum[s]));                                               \
            }                                                                                      \
        }                                                                                          \
    }

#define ADD_WEIGHTS_X16(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define ADD_DSCORES_X32(sum, a, b) _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b))
#define ADD_WEIGHTS_X32(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
#define ADD_DSCORES_X64(sum, a, b) _mm512_add_epi16(sum, _mm512_maddubs_epi16(a, b))
#define AVX512                     "avx512f,avx512bw"

#if DOWNHILL_HAVE_AVX2
LOOP(weights_avx2, "avx2", __m256i, _mm256_loadu_si256, ADD_WEIGHTS_X16)
LOOP(dscores_avx2, "avx2", __m256i, _mm256_loadu_si256, ADD_DSCORES_X32)
#else
#define weights_avx2 NULL
#define dscores_avx2 NULL
#endif
#if DOWNHILL_HAVE_AVXVNNI
LOOP(products_avxvnni, "avx2,avxvnni", __m256i, _mm256_loadu_si256, _mm256_dpbusd_avx_epi32)
#else
#define products_avxvnni NULL
#endif
#if DOWNHILL_HAVE_AVX512
LOOP(weights_avx512, AVX512, __m512i, _mm512_loadu_si512, ADD_WEIGHTS_X32)
LOOP(dscores_avx512, AVX512, __m512i, _mm512_loadu_si512, ADD_DSCORES_X64)
#else
#define weights_avx512 NULL
#define dscores_avx512 NULL
#endif
#if DOWNHILL_HAVE_AVX512VNNI
LOOP(products_avx512vnni, AVX512 ",avx512vnni", __m512i, _mm512_loadu_si512, _mm512_dpbusd_epi32)
#else
#define products_avx512vnni NULL
#endif

#if DOWNHILL_HAVE_AMX
/* Makes TILE_PRODUCTS independent products per round. Each row of a factor starts one byte after
 * the row before. */
__attribute__((target("amx-tile,amx-int8"), noinline)) static void
products_amx(const ceiling_task *task)
{
    tiles_begin();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, bytes, 1);
    _tile_loadd(5, bytes, 1);
    for (size_t i = 0; i < task->count; i++) {
        _tile_dpbusd(0, 4, 5);
        _tile_dpbusd(1, 4, 5);
        _tile_dpbusd(2, 4, 5);
        _tile_dpbusd(3, 4, 5);
    }
    _tile_release();
}
#else
#define products_amx NULL
#endif
#endif

ceiling_loop ceilings_loop_u8(enum ceiling_peak_id id)
{
#if defined __x86_64__
    static const ceiling_loop loops[PEAK_COUNT] = {
#define PEAK_U8(family, NAME, level, features, operations, instructions, min, max, loop, steps)    \
    [PEAK_##family##_##NAME] = {loop, steps},
#include "ceilings_peaks.def"
    };
    return loops[id];
#else
    (void)id;
    return (ceiling_loop){0};
#endif
}
