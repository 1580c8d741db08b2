/* SPDX-License-Identifier: MIT
 *
 * CPU features, and the list of features of each ISA level. The mask that CPUID is compared with (cpu.h), the target
 * attribute of the micro-kernels (target.h) and the -m flags of the auto_ levels (CMakeLists.txt) are all made from
 * these lists. */
#ifndef DOWNHILL_FEATURES_H
#define DOWNHILL_FEATURES_H

/* DOWNHILL_ADDED_<level>: features that a level needs beyond those of the level in its `shares` column (levels.def). CMakeLists.txt
 * reads these rows, too.
 *
 *   ROW(identifier, name as the vendor and compilers spell it, CPUID leaf, subleaf, register (0 eax … 3 edx), bit,
 *       register state that the OS must save)
 *
 * POPCNT has a bit of its own, but compilers use it wherever they may use AVX. AVX is listed although no CPU has AVX2
 * without it: a hypervisor or the user may hide one and not the other. */
/* clang-format off */
#define DOWNHILL_ADDED_avx2(ROW)                                     \
    ROW(POPCNT,     "popcnt",     1, 0, 2, 23, STATE_NONE)           \
    ROW(AVX,        "avx",        1, 0, 2, 28, STATE_YMM)            \
    ROW(AVX2,       "avx2",       7, 0, 1,  5, STATE_YMM)            \
    ROW(FMA,        "fma",        1, 0, 2, 12, STATE_YMM)            \
    ROW(F16C,       "f16c",       1, 0, 2, 29, STATE_YMM)
#define DOWNHILL_ADDED_avxvnni(ROW)                                  \
    ROW(AVXVNNI,    "avxvnni",    7, 1, 0,  4, STATE_YMM)
#define DOWNHILL_ADDED_avx512(ROW)                                   \
    ROW(AVX512F,    "avx512f",    7, 0, 1, 16, STATE_ZMM)            \
    ROW(AVX512BW,   "avx512bw",   7, 0, 1, 30, STATE_ZMM)            \
    ROW(AVX512DQ,   "avx512dq",   7, 0, 1, 17, STATE_ZMM)            \
    ROW(AVX512VL,   "avx512vl",   7, 0, 1, 31, STATE_ZMM)
#define DOWNHILL_ADDED_avx512vnni(ROW)                               \
    ROW(AVX512VNNI, "avx512vnni", 7, 0, 2, 11, STATE_ZMM)
#define DOWNHILL_ADDED_avx512bf16(ROW)                               \
    ROW(AVX512BF16, "avx512bf16", 7, 1, 0,  5, STATE_ZMM)
#define DOWNHILL_ADDED_amx(ROW)                                      \
    ROW(AMX_TILE,   "amx-tile",   7, 0, 3, 24, STATE_TILE)           \
    ROW(AMX_INT8,   "amx-int8",   7, 0, 3, 25, STATE_TILE)           \
    ROW(AMX_BF16,   "amx-bf16",   7, 0, 3, 22, STATE_TILE)

/* DOWNHILL_FEATURES_<level>: every feature that a level needs. tables.c checks these against levels.def. */
#define DOWNHILL_FEATURES_scalar(ROW)
#define DOWNHILL_FEATURES_avx2(ROW)       DOWNHILL_FEATURES_scalar(ROW)     DOWNHILL_ADDED_avx2(ROW)
#define DOWNHILL_FEATURES_avxvnni(ROW)    DOWNHILL_FEATURES_avx2(ROW)       DOWNHILL_ADDED_avxvnni(ROW)
#define DOWNHILL_FEATURES_avx512(ROW)     DOWNHILL_FEATURES_avx2(ROW)       DOWNHILL_ADDED_avx512(ROW)
#define DOWNHILL_FEATURES_avx512vnni(ROW) DOWNHILL_FEATURES_avx512(ROW)     DOWNHILL_ADDED_avx512vnni(ROW)
#define DOWNHILL_FEATURES_avx512bf16(ROW) DOWNHILL_FEATURES_avx512vnni(ROW) DOWNHILL_ADDED_avx512bf16(ROW)
#define DOWNHILL_FEATURES_amx(ROW)        DOWNHILL_FEATURES_avx512bf16(ROW) DOWNHILL_ADDED_amx(ROW)

/* Features that the compiler may use for the level fma: on x86-64 those of AVX2 CPUs, elsewhere the base instructions. */
#define DOWNHILL_FEATURES_fma(ROW)        DOWNHILL_FEATURES_avx2(ROW)

/* Every feature, in the order of downhill_feature_at(). */
#define DOWNHILL_FEATURES(ROW)                                       \
    DOWNHILL_ADDED_avx2(ROW)                                         \
    DOWNHILL_ADDED_avxvnni(ROW)                                      \
    DOWNHILL_ADDED_avx512(ROW)                                       \
    DOWNHILL_ADDED_avx512vnni(ROW)                                   \
    DOWNHILL_ADDED_avx512bf16(ROW)                                   \
    DOWNHILL_ADDED_amx(ROW)
/* clang-format on */

#endif
