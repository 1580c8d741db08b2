/* SPDX-License-Identifier: MIT
 *
 * Measures the bandwidth of a memory level. Each access is an intrinsic, so that the compiler can
 * neither remove one nor replace them by a call of memcpy. */
#define _GNU_SOURCE
#include "ceilings.h"

#include "base/levels.h"

#include <string.h>

/* Floats that a stream reads or writes before the next stream continues: 256 bytes. */
enum { TURN = 64 };

#if defined __x86_64__
#include <immintrin.h>

/* Defines the loops for vectors of `width` floats. Reading: `count` interleaved streams, each
 * through an equal part of the buffer. Copy and triad: write the last part of the buffer from the
 * one or two others, with normal stores or with non-temporal ones, which save reading the lines
 * that are overwritten. Scattered: reads every vector of each row. */
#define LOOPS(width, features, vector, load, store, stream, set1, fmadd)                           \
    __attribute__((target(features), noinline)) static void read_x##width(const ceiling_task *t)   \
    {                                                                                              \
        const size_t part = t->bytes / sizeof(float) / t->count / TURN * TURN;                     \
        for (size_t k = 0; k < part; k += TURN)                                                    \
            for (size_t s = 0; s < t->count; s++)                                                  \
                for (size_t v = 0; v < TURN; v += width)                                           \
                    __asm__ volatile("" : : "v"(load(t->buffer + s * part + k + v)));              \
    }                                                                                              \
    __attribute__((target(features), noinline)) static void copy_x##width(const ceiling_task *t)   \
    {                                                                                              \
        const size_t part = t->bytes / sizeof(float) / 2 / TURN * TURN;                            \
        for (size_t k = 0; k < part; k += TURN)                                                    \
            for (size_t v = k; v < k + TURN; v += width)                                           \
                store(t->buffer + part + v, load(t->buffer + v));                                  \
    }                                                                                              \
    __attribute__((target(features), noinline)) static void copy_nontemporal_x##width(             \
        const ceiling_task *t)                                                                     \
    {                                                                                              \
        const size_t part = t->bytes / sizeof(float) / 2 / TURN * TURN;                            \
        for (size_t k = 0; k < part; k += TURN)                                                    \
            for (size_t v = k; v < k + TURN; v += width)                                           \
                stream(t->buffer + part + v, load(t->buffer + v));                                 \
        _mm_sfence();                                                                              \
    }                                                                                              \
    __attribute__((target(features), noinline)) static void triad_x##width(const ceiling_task *t)  \
    {                                                                                              \
        const size_t part = t->bytes / sizeof(float) / 3 / TURN * TURN;                            \
        const float *b = t->buffer, *c = b + part;                                                 \
        const vector scale = set1(0.5f);                                                           \
        for (size_t k = 0; k < part; k += TURN)                                                    \
            for (size_t v = k; v < k + TURN; v += width)                                           \
                store(t->buffer + 2 * part + v, fmadd(scale, load(c + v), load(b + v)));           \
    }                                                                                              \
    __attribute__((target(features), noinline)) static void triad_nontemporal_x##width(            \
        const ceiling_task *t)                                                                     \
    {                                                                                              \
        const size_t part = t->bytes / sizeof(float) / 3 / TURN * TURN;                            \
        const float *b = t->buffer, *c = b + part;                                                 \
        const vector scale = set1(0.5f);                                                           \
        for (size_t k = 0; k < part; k += TURN)                                                    \
            for (size_t v = k; v < k + TURN; v += width)                                           \
                stream(t->buffer + 2 * part + v, fmadd(scale, load(c + v), load(b + v)));          \
        _mm_sfence();                                                                              \
    }                                                                                              \
    __attribute__((target(features), noinline)) static void scattered_x##width(                    \
        const ceiling_task *t)                                                                     \
    {                                                                                              \
        enum { ROW = CEILING_ROW / sizeof(float) };                                                \
        for (size_t i = 0; i < t->bytes / CEILING_ROW; i++)                                        \
            for (size_t v = 0; v < ROW; v += width)                                                \
                __asm__ volatile("" : : "v"(load(t->buffer + t->order[i] * (size_t)ROW + v)));     \
    }

LOOPS(8, "avx2,fma", __m256, _mm256_load_ps, _mm256_store_ps, _mm256_stream_ps, _mm256_set1_ps,
      _mm256_fmadd_ps)
LOOPS(16, "avx512f", __m512, _mm512_load_ps, _mm512_store_ps, _mm512_stream_ps, _mm512_set1_ps,
      _mm512_fmadd_ps)
#endif

static void read_portable(const ceiling_task *t)
{
    float sum[16] = {0};
    for (size_t k = 0; k + 16 <= t->bytes / sizeof(float); k += 16)
        for (size_t s = 0; s < 16; s++)
            sum[s] += t->buffer[k + s];
    for (size_t s = 0; s < 16; s++)
        __asm__ volatile("" : : "r"(sum[s]));
}

static void copy_portable(const ceiling_task *t)
{
    const size_t part = t->bytes / 2;
    memcpy((char *)t->buffer + part, t->buffer, part);
    __asm__ volatile("" : : : "memory");
}

static void triad_portable(const ceiling_task *t)
{
    const size_t part = t->bytes / sizeof(float) / 3;
    for (size_t k = 0; k < part; k++)
        t->buffer[2 * part + k] = t->buffer[k] + 0.5f * t->buffer[part + k];
    __asm__ volatile("" : : : "memory");
}

static void scattered_portable(const ceiling_task *t)
{
    for (size_t i = 0; i < t->bytes / CEILING_ROW; i++) {
        ceiling_task row = {t->buffer + t->order[i] * (size_t)CEILING_ROW / sizeof(float),
                            CEILING_ROW, 1, NULL};
        read_portable(&row);
    }
}

enum width { PORTABLE, AVX2, AVX512 };

static const struct loop {
    enum width width;
    enum ceiling_access access;
    ceiling_work run;
} loops[] = {
#if defined __x86_64__
    {AVX512, ACCESS_READ, read_x16},
    {AVX512, ACCESS_COPY, copy_x16},
    {AVX512, ACCESS_COPY, copy_nontemporal_x16},
    {AVX512, ACCESS_TRIAD, triad_x16},
    {AVX512, ACCESS_TRIAD, triad_nontemporal_x16},
    {AVX512, ACCESS_SCATTERED, scattered_x16},
    {AVX2, ACCESS_READ, read_x8},
    {AVX2, ACCESS_COPY, copy_x8},
    {AVX2, ACCESS_COPY, copy_nontemporal_x8},
    {AVX2, ACCESS_TRIAD, triad_x8},
    {AVX2, ACCESS_TRIAD, triad_nontemporal_x8},
    {AVX2, ACCESS_SCATTERED, scattered_x8},
#endif
    {PORTABLE, ACCESS_READ, read_portable},
    {PORTABLE, ACCESS_COPY, copy_portable},
    {PORTABLE, ACCESS_TRIAD, triad_portable},
    {PORTABLE, ACCESS_SCATTERED, scattered_portable},
};

/* Returns the bytes that a call reads and writes. */
static double bytes_per_call(enum ceiling_access access, const ceiling_task *t)
{
    enum { TURN_BYTES = TURN * sizeof(float) };
    const size_t parts[] = {[ACCESS_READ] = t->count, [ACCESS_COPY] = 2, [ACCESS_TRIAD] = 3};
    if (access == ACCESS_SCATTERED)
        return (double)(t->bytes / CEILING_ROW * CEILING_ROW);
    return (double)(t->bytes / parts[access] / TURN_BYTES * TURN_BYTES * parts[access]);
}

void ceilings_measure_memory(double gb_per_s[ACCESS_COUNT], const ceiling_team *team)
{
    static const size_t streams[] = {1, 2, 4};
    const bool avx2 = levels_cpu_has(FEATURE_AVX2 | FEATURE_FMA),
               avx512 = levels_cpu_has(FEATURE_AVX512F);
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
        const struct loop *loop = &loops[i];
        if ((loop->width == AVX512 && !avx512) || (loop->width == AVX2 && !avx2) ||
            (loop->width == PORTABLE && avx2))
            continue;
        const bool many = loop->access == ACCESS_READ && loop->width != PORTABLE;
        for (size_t s = 0; s < (many ? sizeof streams / sizeof streams[0] : 1); s++) {
            for (size_t t = 0; t < team->threads; t++)
                team->tasks[t].count = streams[s];
            ceilings_raise(&gb_per_s[loop->access],
                           bytes_per_call(loop->access, &team->tasks[0]) *
                               ceilings_best(team, loop->run, false).per_ns);
        }
    }
}
