/* SPDX-License-Identifier: MIT
 *
 * The AVX-512 intrinsics that the kernels use, lane by lane in plain C, for machines without
 * AVX-512. Include it before a kernel, which is then compiled for AVX2. Follows the operations
 * in the Intel SDM, vol. 2. A kernel that uses an intrinsic missing here does not compile or
 * link. */
#ifndef DOWNHILL_TESTS_AVX512_EMULATION_H
#define DOWNHILL_TESTS_AVX512_EMULATION_H

/* Included before avx512_names.h redefines the intrinsics, and before `__asm__` is redefined. */
#include "isa/kernels.h"
#include "simd/tiles.h"

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef union lanes512 {
    __m512 f;
    __m512d d;
    __m512i i;
    uint8_t u8[64];
    int8_t i8[64];
    uint16_t u16[32];
    int16_t i16[32];
    uint32_t u32[16];
    int32_t i32[16];
    uint64_t u64[8];
    float f32[16];
    double f64[8];
    __m256i half_i[2];
    __m256 half_f[2];
    __m256d half_d[2];
} lanes512;

/* Not always_inline, or the tiles of the kernels take minutes to compile. Exception: functions
 * with a parameter of 256 bits. GCC 12 emits no VZEROUPPER in such a function, because its
 * caller has the upper halves in use, nor in the caller after the call, because a callee is
 * expected to leave them clean. */
#define EMULATED          static inline __attribute__((unused))
#define EMULATED_FROM_YMM static inline __attribute__((unused, always_inline))

/* Defines `result` with result.lane[l] = value for all lanes. */
#define EMULATED_LANES(result, lane, count, value)                                                 \
    lanes512 result;                                                                               \
    for (int l = 0; l < (count); l++)                                                              \
    result.lane[l] = (value)

/* Defines a function of two vectors, with lanes `value`. */
#define EMULATED_2(name, vector, member, lane, count, value)                                       \
    EMULATED vector emulated_##name(vector a_, vector b_)                                          \
    {                                                                                              \
        const lanes512 a = {.member = a_}, b = {.member = b_};                                     \
        EMULATED_LANES(r, lane, count, value);                                                     \
        return r.member;                                                                           \
    }

EMULATED_2(add_ps, __m512, f, f32, 16, a.f32[l] + b.f32[l])
EMULATED_2(sub_ps, __m512, f, f32, 16, a.f32[l] - b.f32[l])
EMULATED_2(mul_ps, __m512, f, f32, 16, a.f32[l] * b.f32[l])
/* Returns the second operand if either is NaN. */
EMULATED_2(max_ps, __m512, f, f32, 16, a.f32[l] > b.f32[l] ? a.f32[l] : b.f32[l])
EMULATED_2(min_ps, __m512, f, f32, 16, a.f32[l] < b.f32[l] ? a.f32[l] : b.f32[l])
EMULATED_2(max_pd, __m512d, d, f64, 8, a.f64[l] > b.f64[l] ? a.f64[l] : b.f64[l])
EMULATED_2(add_pd, __m512d, d, f64, 8, a.f64[l] + b.f64[l])
EMULATED_2(sub_pd, __m512d, d, f64, 8, a.f64[l] - b.f64[l])
EMULATED_2(mul_pd, __m512d, d, f64, 8, a.f64[l] * b.f64[l])
EMULATED_2(add_epi32, __m512i, i, u32, 16, a.u32[l] + b.u32[l])
EMULATED_2(add_epi16, __m512i, i, u16, 32, (uint16_t)(a.u16[l] + b.u16[l]))
EMULATED_2(mullo_epi32, __m512i, i, u32, 16, a.u32[l] * b.u32[l])
EMULATED_2(max_epu32, __m512i, i, u32, 16, a.u32[l] > b.u32[l] ? a.u32[l] : b.u32[l])
EMULATED_2(or_si512, __m512i, i, u64, 8, a.u64[l] | b.u64[l])
EMULATED_2(xor_si512, __m512i, i, u64, 8, a.u64[l] ^ b.u64[l])

/* Sums of pairs of products. Sums of bytes saturate, as in VPMADDUBSW; a is unsigned. */
EMULATED int16_t emulated_saturated(int32_t v)
{
    return (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

EMULATED int32_t emulated_pair(const lanes512 *a, const lanes512 *b, int l)
{
    const int64_t sum =
        (int64_t)a->i16[2 * l] * b->i16[2 * l] + (int64_t)a->i16[2 * l + 1] * b->i16[2 * l + 1];
    return (int32_t)(uint32_t)sum; /* wraps if all four are -32768 */
}

EMULATED_2(madd_epi16, __m512i, i, i32, 16, emulated_pair(&a, &b, l))
EMULATED_2(maddubs_epi16, __m512i, i, i16, 32,
           emulated_saturated(a.u8[2 * l] * b.i8[2 * l] + a.u8[2 * l + 1] * b.i8[2 * l + 1]))

/* Instructions that combine two vectors within each 128-bit part. */
EMULATED_2(packs_epi32, __m512i, i, i16, 32,
           emulated_saturated((l % 8 < 4 ? a : b).i32[l / 8 * 4 + l % 4]))
EMULATED_2(shuffle_epi8, __m512i, i, u8, 64, b.u8[l] & 0x80 ? 0 : a.u8[l / 16 * 16 + b.u8[l] % 16])
EMULATED_2(unpacklo_epi8, __m512i, i, u8, 64, (l % 2 ? b : a).u8[l / 16 * 16 + l % 16 / 2])
EMULATED_2(unpackhi_epi8, __m512i, i, u8, 64, (l % 2 ? b : a).u8[l / 16 * 16 + l % 16 / 2 + 8])
EMULATED_2(unpacklo_epi16, __m512i, i, u16, 32, (l % 2 ? b : a).u16[l / 8 * 8 + l % 8 / 2])
EMULATED_2(unpackhi_epi16, __m512i, i, u16, 32, (l % 2 ? b : a).u16[l / 8 * 8 + l % 8 / 2 + 4])
EMULATED_2(unpacklo_epi32, __m512i, i, u32, 16, (l % 2 ? b : a).u32[l / 4 * 4 + l % 4 / 2])
EMULATED_2(unpackhi_epi32, __m512i, i, u32, 16, (l % 2 ? b : a).u32[l / 4 * 4 + l % 4 / 2 + 2])
EMULATED_2(unpacklo_ps, __m512, f, f32, 16, (l % 2 ? b : a).f32[l / 4 * 4 + l % 4 / 2])
EMULATED_2(unpackhi_ps, __m512, f, f32, 16, (l % 2 ? b : a).f32[l / 4 * 4 + l % 4 / 2 + 2])
EMULATED_2(unpacklo_epi64, __m512i, i, u64, 8, (l % 2 ? b : a).u64[l / 2 * 2])
EMULATED_2(unpackhi_epi64, __m512i, i, u64, 8, (l % 2 ? b : a).u64[l / 2 * 2 + 1])

/* Instructions with a selector of two bits per lane or part. */
#define EMULATED_SHUFFLE(name, vector, member, lane, count, value)                                 \
    EMULATED vector emulated_##name(vector a_, vector b_, int selector)                            \
    {                                                                                              \
        const lanes512 a = {.member = a_}, b = {.member = b_};                                     \
        EMULATED_LANES(r, lane, count, value);                                                     \
        return r.member;                                                                           \
    }

EMULATED_SHUFFLE(shuffle_ps, __m512, f, f32, 16,
                 (l % 4 < 2 ? a : b).f32[l / 4 * 4 + (selector >> l % 4 * 2 & 3)])
EMULATED_SHUFFLE(shuffle_i32x4, __m512i, i, u32, 16,
                 (l < 8 ? a : b).u32[(selector >> l / 4 * 2 & 3) * 4 + l % 4])
EMULATED_SHUFFLE(shuffle_f32x4, __m512, f, f32, 16,
                 (l < 8 ? a : b).f32[(selector >> l / 4 * 2 & 3) * 4 + l % 4])

EMULATED __m512i emulated_permutexvar_epi32(__m512i index_, __m512i a_)
{
    const lanes512 index = {.i = index_}, a = {.i = a_};
    EMULATED_LANES(r, u32, 16, a.u32[index.u32[l] & 15]);
    return r.i;
}

EMULATED __m512i emulated_permutexvar_epi64(__m512i index_, __m512i a_)
{
    const lanes512 index = {.i = index_}, a = {.i = a_};
    EMULATED_LANES(r, u64, 8, a.u64[index.u64[l] & 7]);
    return r.i;
}

EMULATED __m512 emulated_permutexvar_ps(__m512i index_, __m512 a_)
{
    const lanes512 index = {.i = index_}, a = {.f = a_};
    EMULATED_LANES(r, f32, 16, a.f32[index.u32[l] & 15]);
    return r.f;
}

EMULATED __m512 emulated_maskz_permutexvar_ps(__mmask16 lanes, __m512i index_, __m512 a_)
{
    const lanes512 index = {.i = index_}, a = {.f = a_};
    EMULATED_LANES(r, f32, 16, lanes >> l & 1 ? a.f32[index.u32[l] & 15] : 0.0f);
    return r.f;
}

EMULATED __m512i emulated_permutex2var_epi64(__m512i a_, __m512i index_, __m512i b_)
{
    const lanes512 a = {.i = a_}, index = {.i = index_}, b = {.i = b_};
    EMULATED_LANES(r, u64, 8, (index.u64[l] & 8 ? b : a).u64[index.u64[l] & 7]);
    return r.i;
}

EMULATED __m512d emulated_permutex2var_pd(__m512d a_, __m512i index_, __m512d b_)
{
    const lanes512 a = {.d = a_}, b = {.d = b_};
    const lanes512 r = {.i = emulated_permutex2var_epi64(a.i, index_, b.i)};
    return r.d;
}

/* Defines a function of one vector. `linkage` is EMULATED or EMULATED_FROM_YMM. */
#define EMULATED_1(linkage, name, to, to_member, from, from_member, lane, count, value)            \
    linkage to emulated_##name(from a_)                                                            \
    {                                                                                              \
        const lanes512 a = {.from_member = a_};                                                    \
        EMULATED_LANES(r, lane, count, value);                                                     \
        return r.to_member;                                                                        \
    }

EMULATED_1(EMULATED, abs_epi32, __m512i, i, __m512i, i, u32, 16,
           a.i32[l] < 0 ? 0u - a.u32[l] : a.u32[l])
EMULATED_1(EMULATED, cvtepi32_ps, __m512, f, __m512i, i, f32, 16, (float)a.i32[l])
EMULATED_1(EMULATED_FROM_YMM, cvtepi16_epi32, __m512i, i, __m256i, half_i[0], i32, 16, a.i16[l])
EMULATED_1(EMULATED_FROM_YMM, cvtepu16_epi32, __m512i, i, __m256i, half_i[0], i32, 16, a.u16[l])
EMULATED_1(EMULATED_FROM_YMM, cvtepu8_epi16, __m512i, i, __m256i, half_i[0], i16, 32, a.u8[l])
EMULATED_1(EMULATED_FROM_YMM, cvtepi32_pd, __m512d, d, __m256i, half_i[0], f64, 8, a.i32[l])
EMULATED_1(EMULATED_FROM_YMM, cvtps_pd, __m512d, d, __m256, half_f[0], f64, 8, (double)a.f32[l])
EMULATED_1(EMULATED, cvtpd_ps, __m256, half_f[0], __m512d, d, f32, 8, (float)a.f64[l])
EMULATED_1(EMULATED, cvtepi32_epi16, __m256i, half_i[0], __m512i, i, u16, 16, (uint16_t)a.u32[l])
EMULATED_1(EMULATED, cvtepi16_epi8, __m256i, half_i[0], __m512i, i, u8, 32, (uint8_t)a.u16[l])
/* Rounds to nearest even. NaN and numbers out of range give INT32_MIN. */
EMULATED_1(EMULATED, cvtps_epi32, __m512i, i, __m512, f, i32, 16,
           a.f32[l] >= -0x1p31f && a.f32[l] < 0x1p31f ? (int32_t)lrintf(a.f32[l]) : INT32_MIN)

/* Defines a function of three vectors. */
#define EMULATED_FMA(name, vector, member, lane, count, value)                                     \
    EMULATED vector emulated_##name(vector a_, vector b_, vector c_)                               \
    {                                                                                              \
        const lanes512 a = {.member = a_}, b = {.member = b_}, c = {.member = c_};                 \
        EMULATED_LANES(r, lane, count, value);                                                     \
        return r.member;                                                                           \
    }

EMULATED_FMA(fmadd_ps, __m512, f, f32, 16, fmaf(a.f32[l], b.f32[l], c.f32[l]))
EMULATED_FMA(fnmadd_ps, __m512, f, f32, 16, fmaf(-a.f32[l], b.f32[l], c.f32[l]))
EMULATED_FMA(fmadd_pd, __m512d, d, f64, 8, fma(a.f64[l], b.f64[l], c.f64[l]))
/* a is the accumulator. */
EMULATED_FMA(dpbusd_epi32, __m512i, i, u32, 16,
             a.u32[l] +
                 (uint32_t)(b.u8[4 * l] * c.i8[4 * l] + b.u8[4 * l + 1] * c.i8[4 * l + 1] +
                            b.u8[4 * l + 2] * c.i8[4 * l + 2] + b.u8[4 * l + 3] * c.i8[4 * l + 3]))

EMULATED_FMA(dpwssd_epi32, __m512i, i, u32, 16, a.u32[l] + (uint32_t)emulated_pair(&b, &c, l))

/* ---- bf16: subnormals count as 0 and rounding is to nearest even, whatever MXCSR says ---- */

EMULATED float emulated_flushed(float v)
{
    return fabsf(v) < 0x1p-126f ? copysignf(0.0f, v) : v;
}

EMULATED float emulated_bf16(uint16_t upper)
{
    const uint32_t bits = (uint32_t)upper << 16;
    float v;
    memcpy(&v, &bits, sizeof v);
    return emulated_flushed(v);
}

EMULATED uint16_t emulated_to_bf16(float v)
{
    uint32_t bits;
    v = emulated_flushed(v);
    memcpy(&bits, &v, sizeof bits);
    if (v != v)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

EMULATED float emulated_add_bf16(float sum, uint16_t a, uint16_t b)
{
    return emulated_flushed(fmaf(emulated_bf16(a), emulated_bf16(b), emulated_flushed(sum)));
}

EMULATED_FMA(dpbf16_ps_lanes, __m512i, i, f32, 16,
             emulated_add_bf16(emulated_add_bf16(a.f32[l], b.u16[2 * l + 1], c.u16[2 * l + 1]),
                               b.u16[2 * l], c.u16[2 * l]))
EMULATED_2(cvtne2ps_pbh_lanes, __m512, f, u16, 32,
           l < 16 ? emulated_to_bf16(b.f32[l]) : emulated_to_bf16(a.f32[l - 16]))

/* Macros, because compilers differ in whether vectors of bf16 have a type of their own. */
#define emulated_dpbf16_ps(sum, a, b)                                                              \
    (__m512) emulated_dpbf16_ps_lanes((__m512i)(sum), (__m512i)(a), (__m512i)(b))
#define emulated_cvtne2ps_pbh(a, b) (__m512i) emulated_cvtne2ps_pbh_lanes(a, b)

/* ---- constants, parts, shifts ---- */

EMULATED __m512i emulated_srai_epi16(__m512i a_, unsigned bits)
{
    const lanes512 a = {.i = a_};
    EMULATED_LANES(r, i16, 32, (int16_t)(a.i16[l] >> bits));
    return r.i;
}

EMULATED __m512i emulated_slli_epi32(__m512i a_, unsigned bits)
{
    const lanes512 a = {.i = a_};
    EMULATED_LANES(r, u32, 16, a.u32[l] << bits);
    return r.i;
}

EMULATED __m512i emulated_srli_epi32(__m512i a_, unsigned bits)
{
    const lanes512 a = {.i = a_};
    EMULATED_LANES(r, u32, 16, a.u32[l] >> bits);
    return r.i;
}

EMULATED __m256i emulated_half_i(__m512i a_, int half)
{
    const lanes512 a = {.i = a_};
    return a.half_i[half];
}

EMULATED __m256 emulated_half_f(__m512 a_, int half)
{
    const lanes512 a = {.f = a_};
    return a.half_f[half];
}

EMULATED __m256d emulated_half_d(__m512d a_, int half)
{
    const lanes512 a = {.d = a_};
    return a.half_d[half];
}

EMULATED_FROM_YMM __m512 emulated_from_half(__m256 half)
{
    return (lanes512){.half_f = {half}}.f;
}

EMULATED_FROM_YMM __m512 emulated_broadcast_f32x8(__m256 half)
{
    return (lanes512){.half_f = {half, half}}.f;
}

EMULATED_FROM_YMM __m512i emulated_broadcast_i64x4(__m256i half)
{
    return (lanes512){.half_i = {half, half}}.i;
}

EMULATED_FROM_YMM __m512i emulated_zextsi256_si512(__m256i half)
{
    return (lanes512){.half_i = {half}}.i;
}

EMULATED __m512i emulated_mask_broadcast_i32x4(__m512i off, __mmask16 on, __m128i part)
{
    uint32_t lanes[4];
    memcpy(lanes, &part, sizeof lanes);
    const lanes512 a = {.i = off};
    EMULATED_LANES(r, u32, 16, on >> l & 1 ? lanes[l % 4] : a.u32[l]);
    return r.i;
}

EMULATED_FROM_YMM __m512 emulated_mask_broadcast_f32x8(__m512 off, __mmask16 on, __m256 half)
{
    const lanes512 a = {.f = off}, b = {.half_f = {half, half}};
    EMULATED_LANES(r, f32, 16, on >> l & 1 ? b.f32[l] : a.f32[l]);
    return r.f;
}

EMULATED __m128 emulated_extractf32x4_ps(__m512 a_, int part)
{
    const lanes512 a = {.f = a_};
    return _mm_loadu_ps(&a.f32[4 * part]);
}

EMULATED __m512 emulated_set1_ps(float v)
{
    EMULATED_LANES(r, f32, 16, v);
    return r.f;
}

EMULATED __m512d emulated_set1_pd(double v)
{
    EMULATED_LANES(r, f64, 8, v);
    return r.d;
}

EMULATED __m512i emulated_set1_epi32(int32_t v)
{
    EMULATED_LANES(r, i32, 16, v);
    return r.i;
}

EMULATED __m512i emulated_set1_epi8(int8_t v)
{
    EMULATED_LANES(r, i8, 64, v);
    return r.i;
}

EMULATED __m512i emulated_set1_epi16(int16_t v)
{
    EMULATED_LANES(r, i16, 32, v);
    return r.i;
}

#define EMULATED_NONE ((lanes512){.u64 = {0}})

/* ---- masks and memory: the memory of lanes that are off is not touched ---- */

#define EMULATED_LOAD(name, vector, member, mask, lane, count)                                     \
    EMULATED vector emulated_maskz_loadu_##name(mask on, const void *from)                         \
    {                                                                                              \
        lanes512 r = EMULATED_NONE;                                                                \
        for (int l = 0; l < (count); l++)                                                          \
            if (on >> l & 1)                                                                       \
                memcpy(&r.lane[l], (const char *)from + (size_t)l * sizeof r.lane[l],              \
                       sizeof r.lane[l]);                                                          \
        return r.member;                                                                           \
    }

EMULATED_LOAD(ps, __m512, f, __mmask16, f32, 16)
EMULATED_LOAD(pd, __m512d, d, __mmask8, f64, 8)
EMULATED_LOAD(epi32, __m512i, i, __mmask16, u32, 16)
EMULATED_LOAD(epi16, __m512i, i, __mmask32, u16, 32)
EMULATED_LOAD(epi8, __m512i, i, __mmask64, u8, 64)
EMULATED_LOAD(ps_x4, __m512, f, __mmask8, f32, 4)
EMULATED_LOAD(ps_x8, __m512, f, __mmask8, f32, 8)
EMULATED_LOAD(pd_x4, __m512d, d, __mmask8, f64, 4)
EMULATED_LOAD(epi32_x8, __m512i, i, __mmask8, u32, 8)
EMULATED_LOAD(epi16_x8, __m512i, i, __mmask8, u16, 8)
EMULATED_LOAD(epi16_x16, __m512i, i, __mmask16, u16, 16)
EMULATED_LOAD(epi8_x32, __m512i, i, __mmask32, u8, 32)
EMULATED_LOAD(epi8_x16, __m512i, i, __mmask16, u8, 16)

#define EMULATED_STORE(linkage, name, vector, member, mask, lane, count)                           \
    linkage void emulated_mask_storeu_##name(void *to, mask on, vector a_)                         \
    {                                                                                              \
        const lanes512 a = {.member = a_};                                                         \
        for (int l = 0; l < (count); l++)                                                          \
            if (on >> l & 1)                                                                       \
                memcpy((char *)to + (size_t)l * sizeof a.lane[l], &a.lane[l], sizeof a.lane[l]);   \
    }

EMULATED_STORE(EMULATED, ps, __m512, f, __mmask16, f32, 16)
EMULATED_STORE(EMULATED, pd, __m512d, d, __mmask8, f64, 8)
EMULATED_STORE(EMULATED, epi32, __m512i, i, __mmask16, u32, 16)
EMULATED_STORE(EMULATED_FROM_YMM, ps_x8, __m256, half_f[0], __mmask8, f32, 8)
EMULATED_STORE(EMULATED_FROM_YMM, epi16_x16, __m256i, half_i[0], __mmask16, u16, 16)
EMULATED_STORE(EMULATED_FROM_YMM, pd_x4, __m256d, half_d[0], __mmask8, f64, 4)

EMULATED void emulated_mask_storeu_ps_x4(void *to, __mmask8 on, __m128 a)
{
    float lanes[4];
    _mm_storeu_ps(lanes, a);
    for (int l = 0; l < 4; l++)
        if (on >> l & 1)
            memcpy((char *)to + (size_t)l * sizeof *lanes, &lanes[l], sizeof *lanes);
}

EMULATED void emulated_mask_storeu_epi16_x8(void *to, __mmask8 on, __m128i a)
{
    int16_t lanes[8];
    _mm_storeu_si128((void *)lanes, a);
    for (int l = 0; l < 8; l++)
        if (on >> l & 1)
            memcpy((char *)to + (size_t)l * sizeof *lanes, &lanes[l], sizeof *lanes);
}

EMULATED __m128i emulated_maskz_set1_epi16_x8(__mmask8 on, int16_t v)
{
    int16_t lanes[8];
    for (int l = 0; l < 8; l++)
        lanes[l] = (int16_t)((on >> l & 1) ? v : 0);
    return _mm_loadu_si128((const void *)lanes);
}

EMULATED __m256i emulated_maskz_set1_epi16_x16(__mmask16 on, int16_t v)
{
    int16_t lanes[16];
    for (int l = 0; l < 16; l++)
        lanes[l] = (int16_t)((on >> l & 1) ? v : 0);
    return _mm256_loadu_si256((const void *)lanes);
}

/* Loads a vector, aligned or not. */
EMULATED __m512i emulated_load(const void *from)
{
    lanes512 r;
    memcpy(&r, from, sizeof r);
    return r.i;
}

EMULATED void emulated_store(void *to, __m512i a)
{
    memcpy(to, &a, sizeof a);
}

EMULATED void emulated_i32scatter_epi32(void *to, __m512i index_, __m512i a_, int scale)
{
    const lanes512 index = {.i = index_}, a = {.i = a_};
    for (int l = 0; l < 16; l++)
        memcpy((char *)to + (ptrdiff_t)index.i32[l] * scale, &a.u32[l], sizeof a.u32[l]);
}

EMULATED __mmask16 emulated_cmple_epu32_mask(__m512i a_, __m512i b_)
{
    const lanes512 a = {.i = a_}, b = {.i = b_};
    unsigned on = 0;
    for (int l = 0; l < 16; l++)
        on |= (unsigned)(a.u32[l] <= b.u32[l]) << l;
    return (__mmask16)on;
}

EMULATED __mmask16 emulated_cmpeq_epi32_mask(__m512i a_, __m512i b_)
{
    const lanes512 a = {.i = a_}, b = {.i = b_};
    unsigned on = 0;
    for (int l = 0; l < 16; l++)
        on |= (unsigned)(a.u32[l] == b.u32[l]) << l;
    return (__mmask16)on;
}

EMULATED __m512i emulated_mask_sub_epi32(__m512i old_, __mmask16 on, __m512i a_, __m512i b_)
{
    const lanes512 old = {.i = old_}, a = {.i = a_}, b = {.i = b_};
    EMULATED_LANES(r, u32, 16, on >> l & 1 ? a.u32[l] - b.u32[l] : old.u32[l]);
    return r.i;
}

EMULATED __mmask16 emulated_test_epi32_mask(__m512i a_, __m512i b_)
{
    const lanes512 a = {.i = a_}, b = {.i = b_};
    unsigned on = 0;
    for (int l = 0; l < 16; l++)
        on |= (unsigned)((a.u32[l] & b.u32[l]) != 0) << l;
    return (__mmask16)on;
}

/* The two comparisons that the kernels use, _CMP_LE_OQ and _CMP_LT_OQ. Both are false for NaN. */
EMULATED unsigned emulated_holds(double a, double b, int comparison)
{
    return comparison == _CMP_LE_OQ ? a <= b : a < b;
}

EMULATED __mmask16 emulated_mask_cmp_ps_mask(__mmask16 on, __m512 a_, __m512 b_, int comparison)
{
    const lanes512 a = {.f = a_}, b = {.f = b_};
    unsigned held = 0;
    for (int l = 0; l < 16; l++)
        held |= emulated_holds((double)a.f32[l], (double)b.f32[l], comparison) << l;
    return (__mmask16)(held & on);
}

EMULATED __mmask8 emulated_mask_cmp_pd_mask(__mmask8 on, __m512d a_, __m512d b_, int comparison)
{
    const lanes512 a = {.d = a_}, b = {.d = b_};
    unsigned held = 0;
    for (int l = 0; l < 8; l++)
        held |= emulated_holds(a.f64[l], b.f64[l], comparison) << l;
    return (__mmask8)(held & on);
}

/* Selects lanes of b where the mask is on, else of a. */
#define EMULATED_BLEND(name, vector, member, mask, lane, count)                                    \
    EMULATED vector emulated_blend_##name(mask on, vector a_, vector b_)                           \
    {                                                                                              \
        const lanes512 a = {.member = a_}, b = {.member = b_};                                     \
        EMULATED_LANES(r, lane, count, (on >> l & 1) ? b.lane[l] : a.lane[l]);                     \
        return r.member;                                                                           \
    }

EMULATED_BLEND(ps, __m512, f, __mmask16, f32, 16)
EMULATED_BLEND(pd, __m512d, d, __mmask8, f64, 8)
EMULATED_BLEND(epi16, __m512i, i, __mmask32, u16, 32)

EMULATED __m512i emulated_maskz_and_epi32(__mmask16 on, __m512i a_, __m512i b_)
{
    const lanes512 a = {.i = a_}, b = {.i = b_};
    EMULATED_LANES(r, u32, 16, (on >> l & 1) ? a.u32[l] & b.u32[l] : 0);
    return r.i;
}

/* Computes a·2^⌊b⌋ in lanes that are on. */
EMULATED __m512 emulated_maskz_scalef_ps(__mmask16 on, __m512 a_, __m512 b_)
{
    const lanes512 a = {.f = a_}, b = {.f = b_};
    EMULATED_LANES(r, f32, 16,
                   (on >> l & 1) == 0        ? 0.0f
                   : b.f32[l] != b.f32[l]    ? b.f32[l]
                   : fabsf(b.f32[l]) > 10000 ? scalbnf(a.f32[l], b.f32[l] > 0 ? 10000 : -10000)
                                             : scalbnf(a.f32[l], (int)floorf(b.f32[l])));
    return r.f;
}

/* Rounds to an integer, to nearest even, which is the only mode that the kernels use. */
EMULATED __m512 emulated_roundscale_ps(__m512 a_, int rounding)
{
    const lanes512 a = {.f = a_};
    EMULATED_LANES(r, f32, 16,
                   rounding == (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC) ? rintf(a.f32[l])
                                                                               : NAN);
    return r.f;
}

/* ---- reductions: the upper half is combined with the lower half, repeatedly ---- */

#define EMULATED_REDUCE(name, type, vector, member, lane, count, value)                            \
    EMULATED type emulated_reduce_##name(vector a_)                                                \
    {                                                                                              \
        lanes512 r = {.member = a_};                                                               \
        for (int half = (count) / 2; half > 0; half /= 2)                                          \
            for (int l = 0; l < half; l++) {                                                       \
                const type a = r.lane[l], b = r.lane[l + half];                                    \
                r.lane[l] = (value);                                                               \
            }                                                                                      \
        return r.lane[0];                                                                          \
    }

EMULATED_REDUCE(add_ps, float, __m512, f, f32, 16, a + b)
EMULATED_REDUCE(max_ps, float, __m512, f, f32, 16, a > b ? a : b)
EMULATED_REDUCE(max_pd, double, __m512d, d, f64, 8, a > b ? a : b)
EMULATED_REDUCE(add_pd, double, __m512d, d, f64, 8, a + b)
EMULATED_REDUCE(max_epu32, uint32_t, __m512i, i, u32, 16, a > b ? a : b)

#include "avx512_names.h"

/* Removes the register constraints: "v" cannot hold a vector of 512 bits here. The barriers of
 * amx.h are kept, because they are `__asm__ volatile`. */
#define __asm__(...) ((void)0)

#endif
