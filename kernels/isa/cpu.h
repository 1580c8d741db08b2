/* SPDX-License-Identifier: MIT
 *
 * CPU features: what CPUID reports, what the operating system saves, what it permits. */
#ifndef DOWNHILL_CPU_H
#define DOWNHILL_CPU_H

#include "isa/features.h"

#include <stdbool.h>
#include <stdint.h>

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

/* Bit mask of a feature list in features.h. */
#define FEATURE_OR(id, ...)      | FEATURE_##id
#define FEATURES_IN(list)        (0 list(FEATURE_OR))
#define FEATURES_OF_LEVEL(level) FEATURES_IN(DOWNHILL_FEATURES_##level)

/* Features that need permission: those of the tile registers. */
#define FEATURES_AMX FEATURES_IN(DOWNHILL_ADDED_amx)

typedef struct cpu_regs {
    uint32_t r[4]; /* eax, ebx, ecx, edx */
} cpu_regs;

/* Source of CPUID and XCR0 values. Tests pass recorded CPUs; downhill_cpu_native is the real
 * CPU. */
typedef struct cpu_source {
    cpu_regs (*cpuid)(void *context, uint32_t leaf, uint32_t subleaf);
    uint64_t (*xgetbv)(void *context); /* called only if OSXSAVE is set */
    /* Asks for permission to use AMX. Called only if CPU and OS support it. NULL: do not ask. */
    bool (*permit_amx)(void *context);
    void *context;
} cpu_source;

typedef struct cpu_features {
    uint32_t cpu;       /* reported by CPUID */
    uint32_t os;        /* register state enabled in XCR0 */
    uint32_t permitted; /* permission granted, or none needed */
    uint32_t unasked;   /* permission needed, but not asked for because no level could use it */
} cpu_features;

/* Detects the features. A pure function of the source. Leaves above the maximum that CPUID
 * reports are never read, and XGETBV is executed only if OSXSAVE is set. */
cpu_features downhill_cpu_detect(const cpu_source *source);

/* Returns the usable features: reported by the CPU, saved by the OS and permitted. */
static inline uint32_t cpu_usable(cpu_features f)
{
    return f.cpu & f.os & f.permitted;
}

/* Returns the name of feature i, or NULL past the last one. */
const char *downhill_cpu_feature_name(unsigned i);

/* The CPU of this machine. On targets other than x86-64 it has no features. */
extern const cpu_source downhill_cpu_native;

#endif
