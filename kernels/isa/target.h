/* SPDX-License-Identifier: MIT
 *
 * The instructions of each level. A source of a level defines DOWNHILL_LEVEL_NAME before it includes anything; its
 * functions are named by DOWNHILL_NAME() and compiled for its CPUs by DOWNHILL_TARGET, without any flag of the
 * compiler. */
#ifndef DOWNHILL_TARGET_H
#define DOWNHILL_TARGET_H

/* The portable sources, where the build does not compile them for other levels as well. */
#ifndef DOWNHILL_LEVEL_NAME
#define DOWNHILL_LEVEL_NAME scalar
#define DOWNHILL_PORTABLE
#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* `omp simd`, which is for the other levels */
#endif
#endif

#define DOWNHILL_AVX2       "avx2,fma,f16c,popcnt"
#define DOWNHILL_AVX512     DOWNHILL_AVX2 ",avx512f,avx512bw,avx512dq,avx512vl"
#define DOWNHILL_AVX512VNNI DOWNHILL_AVX512 ",avx512vnni"
#define DOWNHILL_AVX512BF16 DOWNHILL_AVX512VNNI ",avx512bf16"
#define DOWNHILL_AMX        DOWNHILL_AVX512BF16 ",amx-tile,amx-int8,amx-bf16"

#define DOWNHILL_TARGET_scalar
#define DOWNHILL_TARGET_auto_avx2 /* by flags, which the compiler heeds better than attributes */
#define DOWNHILL_TARGET_auto_avx512
#define DOWNHILL_TARGET_avx2       __attribute__((target(DOWNHILL_AVX2)))
#define DOWNHILL_TARGET_avxvnni    __attribute__((target(DOWNHILL_AVX2 ",avxvnni")))
#define DOWNHILL_TARGET_avx512     __attribute__((target(DOWNHILL_AVX512)))
#define DOWNHILL_TARGET_avx512vnni __attribute__((target(DOWNHILL_AVX512VNNI)))
#define DOWNHILL_TARGET_avx512bf16 __attribute__((target(DOWNHILL_AVX512BF16)))
#define DOWNHILL_TARGET_amx        __attribute__((target(DOWNHILL_AMX)))

#define DOWNHILL_PASTE2(a, b) a##b
#define DOWNHILL_PASTE(a, b)  DOWNHILL_PASTE2(a, b)

/* Of a source that stands in for the instructions (tests), another. */
#ifndef DOWNHILL_TARGET
#define DOWNHILL_TARGET DOWNHILL_PASTE(DOWNHILL_TARGET_, DOWNHILL_LEVEL_NAME)
#endif

/* Name of a micro-kernel of this level. */
#define DOWNHILL_NAME(kernel) DOWNHILL_PASTE(downhill_##kernel##_, DOWNHILL_LEVEL_NAME)

#endif
