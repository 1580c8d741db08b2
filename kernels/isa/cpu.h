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

/* Mask of a list of features.h. */
#define FEATURE_OR(id, ...)      | FEATURE_##id
#define FEATURES_IN(list)        (0 list(FEATURE_OR))
#define FEATURES_OF_LEVEL(level) FEATURES_IN(DOWNHILL_FEATURES_##level)

/* Features that need permission: those of the tile registers. */
#define FEATURES_AMX FEATURES_IN(DOWNHILL_ADDED_amx)

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
