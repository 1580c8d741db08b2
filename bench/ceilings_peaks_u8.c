/* SPDX-License-Identifier: MIT
 *
 * The most products of bytes that each level can make: of a feature and a weight of 16 bits, as the
 * scores want them, and of a feature and a dscore of 8, as the gradient does. On registers, with the
 * addition that goes with them where it is an instruction of its own. */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/levels.h"
#include "tiles.h"

#include <string.h>

const char *const ceilings_u8_levels[CEILING_U8_LEVELS] = {"avx2", "avxvnni", "avx512",
                                                           "avx512vnni", "amx"};

#if defined __x86_64__
#include <immintrin.h>

/* Twelve independent sums: two units with a latency of 4 or 5 cycles need 10. */
enum { SUMS = 12 };

/* A loop of SUMS times `step`, which makes a new sum of the old one and two factors. */
#define PEAK(name, features, vector, set, step)                                                    \
    __attribute__((target(features), noinline)) static void name(const ceiling_task *task)         \
    {                                                                                              \
        vector sum[SUMS], a = set((char)task->buffer[0]), b = set(1);                              \
        DOWNHILL_UNROLL                                                                            \
        for (int s = 0; s < SUMS; s++)                                                             \
            sum[s] = set((char)s);                                                                 \
        for (size_t i = 0; i < task->count; i++) {                                                 \
            DOWNHILL_UNROLL                                                                        \
            for (int s = 0; s < SUMS; s++) {                                                       \
                /* The factors may be others than before: each product is made anew. */            \
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
PEAK(weights_avx2, "avx2", __m256i, _mm256_set1_epi8, ADD_WEIGHTS_X16)
PEAK(dscores_avx2, "avx2", __m256i, _mm256_set1_epi8, ADD_DSCORES_X32)
#endif
#if DOWNHILL_HAVE_AVXVNNI
PEAK(weights_avxvnni, "avx2,avxvnni", __m256i, _mm256_set1_epi8, _mm256_dpwssd_avx_epi32)
PEAK(dscores_avxvnni, "avx2,avxvnni", __m256i, _mm256_set1_epi8, _mm256_dpbusd_avx_epi32)
#endif
#if DOWNHILL_HAVE_AVX512
PEAK(weights_avx512, AVX512, __m512i, _mm512_set1_epi8, ADD_WEIGHTS_X32)
PEAK(dscores_avx512, AVX512, __m512i, _mm512_set1_epi8, ADD_DSCORES_X64)
#endif
#if DOWNHILL_HAVE_AVX512VNNI
PEAK(weights_avx512vnni, AVX512 ",avx512vnni", __m512i, _mm512_set1_epi8, _mm512_dpwssd_epi32)
PEAK(dscores_avx512vnni, AVX512 ",avx512vnni", __m512i, _mm512_set1_epi8, _mm512_dpbusd_epi32)
#endif

#if DOWNHILL_HAVE_AMX
/* Four independent products, as many as the kernels have, on full tiles of zeros. */
__attribute__((target("amx-tile,amx-int8"), noinline)) static void
products_amx(const ceiling_task *task)
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
        _tile_dpbusd(0, 4, 5);
        _tile_dpbusd(1, 4, 5);
        _tile_dpbusd(2, 4, 5);
        _tile_dpbusd(3, 4, 5);
    }
    _tile_release();
}
#endif
#endif

static void measure(double *most, ceiling_work run, const ceiling_crew *crew, double products)
{
    const double calls = 2.0 * (double)crew->tasks[0].count;
    ceilings_keep(most, products * calls * ceilings_rate(crew, run));
}

void ceilings_measure_u8(ceiling_set *set, const ceiling_crew *crew)
{
    const downhill_kernels *kernels;
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        const char *isa = ceilings_u8_levels[i];
        double *weights = &set->u8[i].weights, *dscores = &set->u8[i].dscores;
        if (downhill_select(isa, &kernels, NULL, 0) != DOWNHILL_OK)
            continue;
        (void)weights, (void)dscores, (void)crew, (void)measure;
#if DOWNHILL_HAVE_AVX2
        if (strcmp(isa, "avx2") == 0) {
            measure(weights, weights_avx2, crew, 16.0 * SUMS);
            measure(dscores, dscores_avx2, crew, 32.0 * SUMS);
        }
#endif
#if DOWNHILL_HAVE_AVXVNNI
        if (strcmp(isa, "avxvnni") == 0) {
            measure(weights, weights_avxvnni, crew, 16.0 * SUMS);
            measure(dscores, dscores_avxvnni, crew, 32.0 * SUMS);
        }
#endif
#if DOWNHILL_HAVE_AVX512
        if (strcmp(isa, "avx512") == 0) {
            measure(weights, weights_avx512, crew, 32.0 * SUMS);
            measure(dscores, dscores_avx512, crew, 64.0 * SUMS);
        }
#endif
#if DOWNHILL_HAVE_AVX512VNNI
        if (strcmp(isa, "avx512vnni") == 0) {
            measure(weights, weights_avx512vnni, crew, 32.0 * SUMS);
            measure(dscores, dscores_avx512vnni, crew, 64.0 * SUMS);
        }
#endif
#if DOWNHILL_HAVE_AMX
        if (strcmp(isa, "amx") == 0) { /* a weight takes two products */
            measure(weights, products_amx, crew, 4.0 * 16 * 16 * 64 / 2);
            measure(dscores, products_amx, crew, 4.0 * 16 * 16 * 64);
        }
#endif
    }
}

struct ceiling_peak ceilings_peak_u8(const ceiling_set *set, const char *isa,
                                     enum ceiling_products products)
{
    if (strncmp(isa, "auto_", strlen("auto_")) == 0)
        isa += strlen("auto_");
    if (strcmp(isa, "avx512bf16") == 0)
        isa = "avx512vnni";
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        const double weights = set->u8[i].weights, dscores = set->u8[i].dscores;
        if (strcmp(isa, ceilings_u8_levels[i]) != 0 || weights == 0.0)
            continue;
        if (products == PRODUCTS_WEIGHTS_U8)
            return (struct ceiling_peak){"U8X16", weights};
        if (products == PRODUCTS_DSCORES_U8)
            return (struct ceiling_peak){"U8X8", dscores};
        /* As many of the one as of the other. */
        return (struct ceiling_peak){"U8", 2.0 / (1.0 / weights + 1.0 / dscores)};
    }
    return (struct ceiling_peak){"U8", 0.0};
}
