/* SPDX-License-Identifier: MIT
 *
 * Maps the names of the intrinsics to the functions of avx512_emulation.h. Macros of the
 * compiler are undefined first. */
#ifndef DOWNHILL_TESTS_AVX512_NAMES_H
#define DOWNHILL_TESTS_AVX512_NAMES_H

/* clang-format off */
#undef _mm512_extractf32x4_ps
#undef _mm512_cmp_ps_mask
#undef _mm512_extractf32x8_ps
#undef _mm512_extractf64x4_pd
#undef _mm512_extracti64x4_epi64
#undef _mm512_i32scatter_epi32
#undef _mm512_mask_cmp_pd_mask
#undef _mm512_mask_cmp_ps_mask
#undef _mm512_cmpeq_epi32_mask
#undef _mm512_cmple_epu32_mask
#undef _mm512_roundscale_ps
#undef _mm512_shuffle_f32x4
#undef _mm512_shuffle_f64x2
#undef _mm512_shuffle_i32x4
#undef _mm512_shuffle_i64x2
#undef _mm512_setr_epi32
#undef _mm512_setr_epi64
#undef _mm512_shuffle_ps

#define _mm256_mask_storeu_epi16           emulated_mask_storeu_epi16_x16
#define _mm256_mask_storeu_pd              emulated_mask_storeu_pd_x4
#define _mm256_mask_storeu_ps              emulated_mask_storeu_ps_x8
#define _mm256_maskz_loadu_epi16(on, from) emulated_half_i(emulated_maskz_loadu_epi16_x16(on, from), 0)
#define _mm256_maskz_loadu_epi32(on, from) emulated_half_i(emulated_maskz_loadu_epi32_x8(on, from), 0)
#define _mm256_maskz_loadu_epi8(on, from)  emulated_half_i(emulated_maskz_loadu_epi8_x32(on, from), 0)
#define _mm256_maskz_loadu_pd(on, from)    emulated_half_d(emulated_maskz_loadu_pd_x4(on, from), 0)
#define _mm256_maskz_loadu_ps(on, from)    emulated_half_f(emulated_maskz_loadu_ps_x8(on, from), 0)
#define _mm256_maskz_set1_epi16(on, v)     emulated_maskz_set1_epi16_x16(on, v)
#define _mm512_abs_epi32                   emulated_abs_epi32
#define _mm512_add_epi16                   emulated_add_epi16
#define _mm512_add_epi32                   emulated_add_epi32
#define _mm512_add_pd                      emulated_add_pd
#define _mm512_add_ps                      emulated_add_ps
#define _mm512_broadcast_f32x8             emulated_broadcast_f32x8
#define _mm512_broadcast_i32x4(part)       emulated_mask_broadcast_i32x4((__m512i){0}, 0xFFFF, part)
#define _mm512_broadcast_i64x4             emulated_broadcast_i64x4
#define _mm512_castpd512_pd256(a)          emulated_half_d(a, 0)
#define _mm512_castpd_ps(a)                ((__m512)(a))
#define _mm512_castps256_ps512              emulated_from_half
#define _mm512_castps512_ps128(a)           _mm256_castps256_ps128(emulated_half_f(a, 0))
#define _mm512_castps512_ps256(a)          emulated_half_f(a, 0)
#define _mm512_castps_pd(a)                ((__m512d)(a))
#define _mm512_castps_si512(a)             ((__m512i)(a))
#define _mm512_castsi512_ps(a)             ((__m512)(a))
#define _mm512_castsi512_si256(a)          emulated_half_i(a, 0)
#define _mm512_cmp_ps_mask(a, b, op)       emulated_mask_cmp_ps_mask(0xFFFF, a, b, op)
#define _mm512_cmpeq_epi32_mask            emulated_cmpeq_epi32_mask
#define _mm512_cmple_epu32_mask            emulated_cmple_epu32_mask
#define _mm512_cvtepi16_epi32              emulated_cvtepi16_epi32
#define _mm512_cvtepi32_epi16              emulated_cvtepi32_epi16
#define _mm512_cvtepi16_epi8               emulated_cvtepi16_epi8
#define _mm512_cvtepi32_pd                 emulated_cvtepi32_pd
#define _mm512_cvtepi32_ps                 emulated_cvtepi32_ps
#define _mm512_cvtepu16_epi32              emulated_cvtepu16_epi32
#define _mm512_cvtepu8_epi16               emulated_cvtepu8_epi16
#define _mm512_cvtne2ps_pbh                emulated_cvtne2ps_pbh
#define _mm512_cvtpd_ps                    emulated_cvtpd_ps
#define _mm512_cvtps_pd                    emulated_cvtps_pd
#define _mm512_cvtps_epi32                 emulated_cvtps_epi32
#define _mm512_dpbf16_ps                   emulated_dpbf16_ps
#define _mm512_dpbusd_epi32                emulated_dpbusd_epi32
#define _mm512_dpwssd_epi32                emulated_dpwssd_epi32
#define _mm512_extractf32x4_ps              emulated_extractf32x4_ps
#define _mm512_extractf32x8_ps(a, half)    emulated_half_f(a, half)
#define _mm512_extractf64x4_pd(a, half)    emulated_half_d(a, half)
#define _mm512_extracti64x4_epi64(a, half) emulated_half_i(a, half)
#define _mm512_fmadd_pd                    emulated_fmadd_pd
#define _mm512_fmadd_ps                    emulated_fmadd_ps
#define _mm512_fnmadd_ps                   emulated_fnmadd_ps
#define _mm512_i32scatter_epi32            emulated_i32scatter_epi32
#define _mm512_loadu_pd(from)              ((__m512d)emulated_load(from))
#define _mm512_loadu_ps(from)              ((__m512)emulated_load(from))
#define _mm512_loadu_si512(from)           emulated_load(from)
#define _mm512_madd_epi16                  emulated_madd_epi16
#define _mm512_maddubs_epi16               emulated_maddubs_epi16
#define _mm512_mask_broadcast_f32x8        emulated_mask_broadcast_f32x8
#define _mm512_mask_broadcast_i32x4        emulated_mask_broadcast_i32x4
#define _mm512_mask_add_pd(old, on, a, b)  emulated_blend_pd(on, old, emulated_add_pd(a, b))
#define _mm512_mask_add_ps(old, on, a, b)  emulated_blend_ps(on, old, emulated_add_ps(a, b))
#define _mm512_mask_blend_epi16(on, a, b)  emulated_blend_epi16(on, a, b)
#define _mm512_mask_cmp_pd_mask            emulated_mask_cmp_pd_mask
#define _mm512_mask_cmp_ps_mask            emulated_mask_cmp_ps_mask
#define _mm512_mask_loadu_pd(old, on, from) emulated_blend_pd(on, old, emulated_maskz_loadu_pd(on, from))
#define _mm512_mask_max_ps(old, on, a, b)  emulated_blend_ps(on, old, emulated_max_ps(a, b))
#define _mm512_mask_sub_epi32              emulated_mask_sub_epi32
#define _mm512_mask_storeu_epi32           emulated_mask_storeu_epi32
#define _mm512_mask_storeu_pd              emulated_mask_storeu_pd
#define _mm512_mask_storeu_ps              emulated_mask_storeu_ps
#define _mm512_maskz_and_epi32             emulated_maskz_and_epi32
#define _mm512_maskz_loadu_epi16           emulated_maskz_loadu_epi16
#define _mm512_maskz_loadu_epi32           emulated_maskz_loadu_epi32
#define _mm512_maskz_loadu_epi8            emulated_maskz_loadu_epi8
#define _mm512_maskz_loadu_pd              emulated_maskz_loadu_pd
#define _mm512_maskz_loadu_ps              emulated_maskz_loadu_ps
#define _mm512_maskz_mov_ps(on, a)         emulated_blend_ps(on, EMULATED_NONE.f, a)
#define _mm512_maskz_scalef_ps             emulated_maskz_scalef_ps
#define _mm512_max_epu32                   emulated_max_epu32
#define _mm512_max_pd                      emulated_max_pd
#define _mm512_max_ps                      emulated_max_ps
#define _mm512_min_ps                      emulated_min_ps
#define _mm512_mul_pd                      emulated_mul_pd
#define _mm512_mul_ps                      emulated_mul_ps
#define _mm512_mullo_epi32                 emulated_mullo_epi32
#define _mm512_or_si512                    emulated_or_si512
#define _mm512_packs_epi32                 emulated_packs_epi32
#define _mm512_permutex2var_epi64          emulated_permutex2var_epi64
#define _mm512_permutex2var_pd             emulated_permutex2var_pd
#define _mm512_permutexvar_epi32           emulated_permutexvar_epi32
#define _mm512_permutexvar_epi64           emulated_permutexvar_epi64
#define _mm512_permutexvar_pd(index, a)    ((__m512d)emulated_permutexvar_epi64(index, (__m512i)(a)))
#define _mm512_permutexvar_ps              emulated_permutexvar_ps
#define _mm512_maskz_permutexvar_ps        emulated_maskz_permutexvar_ps
#define _mm512_reduce_add_pd               emulated_reduce_add_pd
#define _mm512_reduce_add_ps               emulated_reduce_add_ps
#define _mm512_reduce_max_epu32            emulated_reduce_max_epu32
#define _mm512_reduce_max_pd               emulated_reduce_max_pd
#define _mm512_reduce_max_ps               emulated_reduce_max_ps
#define _mm512_roundscale_ps               emulated_roundscale_ps
#define _mm512_set1_epi16                  emulated_set1_epi16
#define _mm512_set1_epi8                   emulated_set1_epi8
#define _mm512_set1_epi32                  emulated_set1_epi32
#define _mm512_set1_pd                     emulated_set1_pd
#define _mm512_set1_ps                     emulated_set1_ps
#define _mm512_setr_epi32(...)             ((lanes512){.u32 = {__VA_ARGS__}}.i)
#define _mm512_setr_epi64(...)             ((lanes512){.u64 = {__VA_ARGS__}}.i)
#define _mm512_setzero_pd()                (EMULATED_NONE.d)
#define _mm512_setzero_ps()                (EMULATED_NONE.f)
#define _mm512_setzero_si512()             (EMULATED_NONE.i)
#define _mm512_shuffle_epi8                emulated_shuffle_epi8
#define _mm512_shuffle_f32x4               emulated_shuffle_f32x4
#define _mm512_shuffle_f64x2(a, b, parts)  ((__m512d)emulated_shuffle_f32x4((__m512)(a), (__m512)(b), parts))
#define _mm512_shuffle_i32x4               emulated_shuffle_i32x4
#define _mm512_shuffle_i64x2               emulated_shuffle_i32x4
#define _mm512_shuffle_ps                  emulated_shuffle_ps
#define _mm512_slli_epi32                  emulated_slli_epi32
#define _mm512_srai_epi16                  emulated_srai_epi16
#define _mm512_srli_epi32                  emulated_srli_epi32
#define _mm512_store_ps(to, a)             emulated_store(to, (__m512i)(a))
#define _mm512_store_si512(to, a)          emulated_store(to, a)
#define _mm512_storeu_pd(to, a)            emulated_store(to, (__m512i)(a))
#define _mm512_storeu_ps(to, a)            emulated_store(to, (__m512i)(a))
#define _mm512_storeu_si512(to, a)         emulated_store(to, a)
#define _mm512_sub_pd                      emulated_sub_pd
#define _mm512_sub_ps                      emulated_sub_ps
#define _mm512_test_epi32_mask             emulated_test_epi32_mask
#define _mm512_unpackhi_epi16              emulated_unpackhi_epi16
#define _mm512_unpackhi_epi32              emulated_unpackhi_epi32
#define _mm512_unpackhi_epi64              emulated_unpackhi_epi64
#define _mm512_unpackhi_epi8               emulated_unpackhi_epi8
#define _mm512_unpackhi_ps                 emulated_unpackhi_ps
#define _mm512_unpacklo_epi16              emulated_unpacklo_epi16
#define _mm512_unpacklo_epi32              emulated_unpacklo_epi32
#define _mm512_unpacklo_epi64              emulated_unpacklo_epi64
#define _mm512_unpacklo_epi8               emulated_unpacklo_epi8
#define _mm512_unpacklo_ps                 emulated_unpacklo_ps
#define _mm512_xor_si512                   emulated_xor_si512
#define _mm512_zextsi256_si512             emulated_zextsi256_si512
#define _mm_mask_storeu_epi16              emulated_mask_storeu_epi16_x8
#define _mm_mask_storeu_ps                 emulated_mask_storeu_ps_x4
#define _mm_maskz_loadu_epi16(on, from)     _mm256_castsi256_si128(emulated_half_i(emulated_maskz_loadu_epi16_x8(on, from), 0))
#define _mm_maskz_loadu_epi8(on, from)     _mm256_castsi256_si128(emulated_half_i(emulated_maskz_loadu_epi8_x16(on, from), 0))
#define _mm_maskz_loadu_ps(on, from)       _mm256_castps256_ps128(emulated_half_f(emulated_maskz_loadu_ps_x4(on, from), 0))
#define _mm_maskz_set1_epi16(on, v)        emulated_maskz_set1_epi16_x8(on, v)
/* clang-format on */

#endif
