/* SPDX-License-Identifier: MIT
 *
 * CPU features: what CPUID reports, what the operating system saves, what it permits. */
#ifndef DOWNHILL_CPU_H
#define DOWNHILL_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* One row per feature that a level may need: identifier, name as the vendor spells it, CPUID leaf,
 * subleaf, register (0 eax … 3 edx), bit, and the register state that the OS must save. Compilers
 * take AVX for a reason to use POPCNT, which has a bit of its own. */
/* clang-format off */
#define DOWNHILL_FEATURES(ROW)                                       \
    ROW(POPCNT,     "popcnt",     1, 0, 2, 23, STATE_NONE)           \
    ROW(AVX,        "avx",        1, 0, 2, 28, STATE_YMM)            \
    ROW(AVX2,       "avx2",       7, 0, 1,  5, STATE_YMM)            \
    ROW(FMA,        "fma",        1, 0, 2, 12, STATE_YMM)            \
    ROW(F16C,       "f16c",       1, 0, 2, 29, STATE_YMM)            \
    ROW(AVXVNNI,    "avxvnni",    7, 1, 0,  4, STATE_YMM)            \
    ROW(AVX512F,    "avx512f",    7, 0, 1, 16, STATE_ZMM)            \
    ROW(AVX512BW,   "avx512bw",   7, 0, 1, 30, STATE_ZMM)            \
    ROW(AVX512DQ,   "avx512dq",   7, 0, 1, 17, STATE_ZMM)            \
    ROW(AVX512VL,   "avx512vl",   7, 0, 1, 31, STATE_ZMM)            \
    ROW(AVX512VNNI, "avx512vnni", 7, 0, 2, 11, STATE_ZMM)            \
    ROW(AVX512BF16, "avx512bf16", 7, 1, 0,  5, STATE_ZMM)            \
    ROW(AMX_TILE,   "amx-tile",   7, 0, 3, 24, STATE_TILE)           \
    ROW(AMX_INT8,   "amx-int8",   7, 0, 3, 25, STATE_TILE)           \
    ROW(AMX_BF16,   "amx-bf16",   7, 0, 3, 22, STATE_TILE)
/* clang-format on */

enum {
#define ROW(id, ...) FEATURE_INDEX_##id,
    DOWNHILL_FEATURES(ROW)
#undef ROW
        FEATURE_COUNT
};

enum {
#define ROW(id, ...) FEATURE_##id = 1 << FEATURE_INDEX_##id,
    DOWNHILL_FEATURES(ROW)
#undef ROW
};

/* The feature sets that levels.def names. AVX is in them although no CPU has AVX2 without it: a
 * hypervisor or the user may hide the one and not the other. */
#define FEATURES_AVX2 (FEATURE_POPCNT | FEATURE_AVX | FEATURE_AVX2 | FEATURE_FMA | FEATURE_F16C)
#define FEATURES_AVX512                                                                            \
    (FEATURES_AVX2 | FEATURE_AVX512F | FEATURE_AVX512BW | FEATURE_AVX512DQ | FEATURE_AVX512VL)
#define FEATURES_AVXVNNI    (FEATURES_AVX2 | FEATURE_AVXVNNI)
#define FEATURES_AVX512VNNI (FEATURES_AVX512 | FEATURE_AVX512VNNI)
#define FEATURES_AVX512BF16 (FEATURES_AVX512VNNI | FEATURE_AVX512BF16)
#define FEATURES_AMX        (FEATURE_AMX_TILE | FEATURE_AMX_INT8 | FEATURE_AMX_BF16)
#define FEATURES_AMX_LEVEL  (FEATURES_AVX512BF16 | FEATURES_AMX)

typedef struct cpu_regs {
    uint32_t r[4]; /* eax, ebx, ecx, edx */
} cpu_regs;

/* Where detection gets its facts. Tests pass recorded CPUs; downhill_cpu_native is the real one. */
typedef struct cpu_source {
    cpu_regs (*cpuid)(void *context, uint32_t leaf, uint32_t subleaf);
    uint64_t (*xgetbv)(void *context); /* called only where OSXSAVE is set */
    /* Asks for leave to use AMX, where a level could. NULL: do not ask. */
    bool (*permit_amx)(void *context);
    void *context;
} cpu_source;

typedef struct cpu_features {
    uint32_t cpu;       /* CPUID reports it */
    uint32_t os;        /* the state it needs is enabled in XCR0 */
    uint32_t permitted; /* it needs no permission, or that was granted */
    uint32_t unasked;   /* it needs permission, and no level was a reason to ask */
} cpu_features;

/* A pure function of the source. Leaves above the maximum that CPUID names are never read, and
 * XGETBV only where OSXSAVE is set. */
cpu_features downhill_cpu_detect(const cpu_source *source);

/* The features that may be used: reported, saved and permitted. */
static inline uint32_t cpu_usable(cpu_features f)
{
    return f.cpu & f.os & f.permitted;
}

/* Name of feature number i, or NULL past the last. */
const char *downhill_cpu_feature_name(unsigned i);

/* This machine. On targets other than x86-64 it reports no feature. */
extern const cpu_source downhill_cpu_native;

#endif
