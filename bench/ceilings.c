/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/clock.h"
#include "base/levels.h"
#include "base/memory.h"
#include "base/output.h"
#include "tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined __x86_64__
#include <immintrin.h>
#define TARGET(features) __attribute__((target(features), noinline))
#endif

enum { REPEATS = 7 };
static const double sample_s = 0.004;

/* Imul has a latency of 3 cycles on every x86-64 of the last fifteen years, and unlike an addition of
 * a constant it is never done at rename. */
static float chain(const float *buffer, size_t bytes, size_t count)
{
    (void)buffer;
    (void)bytes;
    uint64_t x = 3;
    for (size_t i = 0; i < count; i++) {
#if defined __x86_64__
        __asm__ volatile("imul %0, %0" : "+r"(x));
#else
        x *= x | 1;
        __asm__ volatile("" : "+r"(x));
#endif
    }
    return (float)x;
}

#if defined __x86_64__
/* Sixteen and twelve independent sums: two units with a latency of 4 or 5 cycles need 10. */
enum { SUMS_X16 = 16, SUMS_X8 = 12 };

TARGET("avx512f") static float fma_x16(const float *buffer, size_t bytes, size_t count)
{
    (void)bytes;
    __m512 sum[SUMS_X16];
    const __m512 a = _mm512_set1_ps(buffer[0]), b = _mm512_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_set1_ps((float)s);
    for (size_t i = 0; i < count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_fmadd_ps(sum[s], b, a);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X16; s++)
        sum[0] = _mm512_add_ps(sum[0], sum[s]);
    return _mm512_cvtss_f32(sum[0]);
}

#if DOWNHILL_HAVE_AVX512BF16
TARGET("avx512f,avx512bf16") static float dot_x32(const float *buffer, size_t bytes, size_t count)
{
    (void)bytes;
    __m512 sum[SUMS_X16];
    const __m512bh a = (__m512bh)_mm512_set1_ps(buffer[0]), b = (__m512bh)_mm512_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X16; s++)
        sum[s] = _mm512_set1_ps((float)s);
    for (size_t i = 0; i < count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X16; s++) {
            sum[s] = _mm512_dpbf16_ps(sum[s], a, b);
            __asm__ volatile("" : "+v"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X16; s++)
        sum[0] = _mm512_add_ps(sum[0], sum[s]);
    return _mm512_cvtss_f32(sum[0]);
}

#endif

#if DOWNHILL_HAVE_AMX
/* Four independent products, as many as the kernels have, on full tiles of zeros. */
TARGET("amx-tile,amx-bf16") static float dot_tiles(const float *buffer, size_t bytes, size_t count)
{
    (void)bytes;
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
    for (size_t i = 0; i < count; i++) {
        _tile_dpbf16ps(0, 4, 5);
        _tile_dpbf16ps(1, 4, 5);
        _tile_dpbf16ps(2, 4, 5);
        _tile_dpbf16ps(3, 4, 5);
    }
    _tile_release();
    return buffer[0];
}
#endif

TARGET("avx2,fma") static float fma_x8(const float *buffer, size_t bytes, size_t count)
{
    (void)bytes;
    __m256 sum[SUMS_X8];
    const __m256 a = _mm256_set1_ps(buffer[0]), b = _mm256_set1_ps(0.5f);
    DOWNHILL_UNROLL
    for (int s = 0; s < SUMS_X8; s++)
        sum[s] = _mm256_set1_ps((float)s);
    for (size_t i = 0; i < count; i++) {
        DOWNHILL_UNROLL
        for (int s = 0; s < SUMS_X8; s++) {
            sum[s] = _mm256_fmadd_ps(sum[s], b, a);
            __asm__ volatile("" : "+x"(sum[s]));
        }
    }
    DOWNHILL_UNROLL
    for (int s = 1; s < SUMS_X8; s++)
        sum[0] = _mm256_add_ps(sum[0], sum[s]);
    return _mm256_cvtss_f32(sum[0]);
}

/* Reads the buffer as `streams` equal parts side by side, 256 bytes of each in turn. */
TARGET("avx512f") static float read_x16(const float *buffer, size_t bytes, size_t streams)
{
    const size_t part = bytes / sizeof(float) / streams;
    for (size_t k = 0; k < part; k += 64)
        for (size_t s = 0; s < streams; s++)
            for (size_t v = 0; v < 64; v += 16)
                __asm__ volatile("" : : "v"(_mm512_load_ps(buffer + s * part + k + v)));
    return 0.0f;
}

TARGET("avx2") static float read_x8(const float *buffer, size_t bytes, size_t streams)
{
    const size_t part = bytes / sizeof(float) / streams;
    for (size_t k = 0; k < part; k += 64)
        for (size_t s = 0; s < streams; s++)
            for (size_t v = 0; v < 64; v += 8)
                __asm__ volatile("" : : "x"(_mm256_load_ps(buffer + s * part + k + v)));
    return 0.0f;
}
#endif

static float read_portable(const float *buffer, size_t bytes, size_t streams)
{
    (void)streams;
    float sum[16] = {0};
    for (size_t k = 0; k + 16 <= bytes / sizeof(float); k += 16)
        for (size_t s = 0; s < 16; s++)
            sum[s] += buffer[k + s];
    return sum[0] + sum[15];
}

double ceilings_rate(ceiling_work run, const float *buffer, size_t bytes, size_t count)
{
    static volatile float sink;
    size_t calls = 1;
    double best = 0.0;
    for (int sample = 0; sample < REPEATS;) {
        const double start = clock_seconds();
        for (size_t i = 0; i < calls; i++)
            sink = run(buffer, bytes, count);
        const double took = clock_seconds() - start;
        const double found = (double)calls / (took * 1e9);
        best = found > best ? found : best;
        if (took >= sample_s)
            sample++;
        else
            calls *= 2;
    }
    (void)sink;
    return best;
}

static void keep(double *most, double found)
{
    *most = found > *most ? found : *most;
}

ceilings ceilings_of(const machine *m)
{
    ceilings found = {0};
    uint64_t below = 0;
    for (size_t i = 0; i < m->n_caches && found.n_levels + 1 < CEILING_LEVELS_MAX; i++) {
        const machine_cache *cache = &m->caches[i];
        if (cache->type[0] == 'i' || cache->bytes <= below)
            continue;
        struct ceiling_level *level = &found.level[found.n_levels++];
        snprintf(level->name, sizeof level->name, "L%u", cache->level);
        level->holds = cache->bytes;
        /* Beyond the level before and well inside this one. A large shared one need not be full. */
        const uint64_t most =
            below == 0 || 8 * below > cache->bytes / 2 ? cache->bytes / 2 : 8 * below;
        level->tested = most / 4096 * 4096;
        below = cache->bytes;
    }
    struct ceiling_level *memory = &found.level[found.n_levels++];
    snprintf(memory->name, sizeof memory->name, "DRAM");
    memory->holds = UINT64_MAX;
    memory->tested = 4 * below > (256u << 20) ? 4 * below : 256u << 20;
    return found;
}

static void measure_reading(struct ceiling_level *level, const float *buffer, bool avx2,
                            bool avx512)
{
    const double bytes = (double)level->tested;
    for (size_t streams = 1; streams <= 2; streams++) {
#if defined __x86_64__
        if (avx512)
            keep(&level->gb_per_s, bytes * ceilings_rate(read_x16, buffer, level->tested, streams));
        if (avx2)
            keep(&level->gb_per_s, bytes * ceilings_rate(read_x8, buffer, level->tested, streams));
#endif
        if (!avx2 && !avx512)
            keep(&level->gb_per_s,
                 bytes * ceilings_rate(read_portable, buffer, level->tested, streams));
    }
}

bool ceilings_measure(ceilings *found)
{
    const bool avx2 = levels_cpu_has("avx2") && levels_cpu_has("fma"),
               avx512 = levels_cpu_has("avx512f");
    float *buffer = memory_new(found->level[found->n_levels - 1].tested, 1);
    if (buffer == NULL)
        return false;
    enum { COUNT = 10000 };
    keep(&found->clock_ghz, 3.0 * COUNT * ceilings_rate(chain, buffer, 0, COUNT));
#if defined __x86_64__
    if (avx512)
        keep(&found->fma_avx512,
             2.0 * 16 * SUMS_X16 * COUNT * ceilings_rate(fma_x16, buffer, 0, COUNT));
#if DOWNHILL_HAVE_AVX512BF16
    if (levels_cpu_has("avx512bf16"))
        keep(&found->dot_avx512bf16,
             2.0 * 32 * SUMS_X16 * COUNT * ceilings_rate(dot_x32, buffer, 0, COUNT));
#endif
#if DOWNHILL_HAVE_AMX
    const downhill_kernels *amx;
    if (downhill_select("amx", &amx, NULL, 0) ==
        DOWNHILL_OK) /* with the permission that it takes */
        keep(&found->dot_amx,
             2.0 * 16 * 16 * 32 * 4 * COUNT * ceilings_rate(dot_tiles, buffer, 0, COUNT));
#endif
    if (avx2)
        keep(&found->fma_avx2, 2.0 * 8 * SUMS_X8 * COUNT * ceilings_rate(fma_x8, buffer, 0, COUNT));
#endif
    ceilings_measure_u8(found, buffer);
    for (size_t i = 0; i < found->n_levels; i++)
        measure_reading(&found->level[i], buffer, avx2, avx512);
    free(buffer);
    return true;
}

const struct ceiling_level *ceilings_level(const ceilings *found, double bytes)
{
    size_t i = 0;
    while (bytes > (double)found->level[i].holds)
        i++;
    return &found->level[i];
}

struct ceiling_peak ceilings_peak(const ceilings *found, const char *isa,
                                  enum ceiling_products products)
{
    if (products >= PRODUCTS_WEIGHTS_U8)
        return ceilings_peak_u8(found, isa, products);
    if (strcmp(isa, "avx512bf16") == 0 && products == PRODUCTS_BF16)
        return (struct ceiling_peak){"BF16", found->dot_avx512bf16};
    if (strcmp(isa, "amx") == 0 && products == PRODUCTS_BF16)
        return (struct ceiling_peak){"BF16", found->dot_amx};
    return (struct ceiling_peak){
        "FMA", strstr(isa, "avx512") != NULL || strcmp(isa, "amx") == 0       ? found->fma_avx512
               : strncmp(isa, "avx", 3) == 0 || strcmp(isa, "auto_avx2") == 0 ? found->fma_avx2
                                                                              : 0.0};
}

json_t *ceilings_to_json(const ceilings *found)
{
    json_t *o = json_object(), *fma = json_object(), *dot = json_object(), *levels = json_array();
    output_set(o, "clock_ghz", output_real(found->clock_ghz));
    output_set(fma, "avx2", found->fma_avx2 > 0 ? output_real(found->fma_avx2) : json_null());
    output_set(fma, "avx512", found->fma_avx512 > 0 ? output_real(found->fma_avx512) : json_null());
    output_set(o, "fma_f32_gflop_per_s", fma);
    output_set(dot, "avx512bf16",
               found->dot_avx512bf16 > 0 ? output_real(found->dot_avx512bf16) : json_null());
    output_set(dot, "amx", found->dot_amx > 0 ? output_real(found->dot_amx) : json_null());
    output_set(o, "dot_bf16_gflop_per_s", dot);
    json_t *u8 = json_object();
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++) {
        json_t *level = json_object();
        if (found->u8[i].weights == 0.0) {
            json_decref(level);
            output_set(u8, ceilings_u8_levels[i], json_null());
            continue;
        }
        output_set(level, "weights", output_real(found->u8[i].weights));
        output_set(level, "dscores", output_real(found->u8[i].dscores));
        output_set(u8, ceilings_u8_levels[i], level);
    }
    output_set(o, "u8_gop_per_s", u8);
    for (size_t i = 0; i < found->n_levels; i++) {
        const struct ceiling_level *l = &found->level[i];
        json_t *level = json_object();
        output_set(level, "level", json_string(l->name));
        output_set(level, "holds_bytes",
                   l->holds == UINT64_MAX ? json_null() : json_integer((json_int_t)l->holds));
        output_set(level, "tested_bytes", json_integer((json_int_t)l->tested));
        output_set(level, "read_gb_per_s", output_real(l->gb_per_s));
        json_array_append_new(levels, level);
    }
    output_set(o, "read", levels);
    return o;
}

void ceilings_print(const ceilings *found)
{
    printf("ceilings of one core at %.2f GHz: FMA f32", found->clock_ghz);
    if (found->fma_avx2 > 0)
        printf(" %.0f (AVX2)", found->fma_avx2);
    if (found->fma_avx512 > 0)
        printf(" %.0f (AVX-512)", found->fma_avx512);
    if (found->dot_avx512bf16 > 0)
        printf(", bf16 %.0f (AVX512-BF16)", found->dot_avx512bf16);
    if (found->dot_amx > 0)
        printf(" %.0f (AMX)", found->dot_amx);
    printf(" GFLOP/s; u8");
    const char *comma = "";
    for (size_t i = 0; i < CEILING_U8_LEVELS; i++)
        if (found->u8[i].weights > 0.0) {
            printf("%s %.0f and %.0f (%s)", comma, found->u8[i].weights, found->u8[i].dscores,
                   ceilings_u8_levels[i]);
            comma = ",";
        }
    printf(" Gop/s; reading");
    for (size_t i = 0; i < found->n_levels; i++)
        printf("%s %s %.0f", i > 0 ? "," : "", found->level[i].name, found->level[i].gb_per_s);
    puts(" GB/s\n");
}
