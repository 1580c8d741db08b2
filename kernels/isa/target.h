/* SPDX-License-Identifier: MIT
 *
 * Names and instructions of the micro-kernels of a level. A source of a level defines DOWNHILL_LEVEL_NAME before it
 * includes anything. DOWNHILL_NAME() names its functions, and DOWNHILL_TARGET compiles them for the CPUs of the level
 * without any compiler flag. */
#ifndef DOWNHILL_TARGET_H
#define DOWNHILL_TARGET_H

#include "isa/features.h"

/* Portable sources define no level. They are the scalar level, unless the build compiles them for an auto_ level: it
 * then defines DOWNHILL_LEVEL_NAME, an empty DOWNHILL_TARGET, and selects the features by -m flags, under which
 * compilers vectorise better than under attributes. */
#ifndef DOWNHILL_LEVEL_NAME
#define DOWNHILL_LEVEL_NAME scalar
#define DOWNHILL_TARGET
#define DOWNHILL_PORTABLE
#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* `omp simd` is for the auto levels */
#endif
#endif

#define DOWNHILL_PASTE2(a, b) a##b
#define DOWNHILL_PASTE(a, b)  DOWNHILL_PASTE2(a, b)

/* Target attribute with the features of the level. It starts with SSE2, which every x86-64 CPU has, because each other
 * feature comes with a comma before it. Tests that emulate the instructions of a level define an empty one. */
#if !defined DOWNHILL_TARGET && !defined __x86_64__
#define DOWNHILL_TARGET
#elif !defined DOWNHILL_TARGET
#define DOWNHILL_COMMA_NAME(id, name, ...) "," name
#define DOWNHILL_TARGET_LIST                                                                       \
    DOWNHILL_PASTE(DOWNHILL_FEATURES_, DOWNHILL_LEVEL_NAME)(DOWNHILL_COMMA_NAME)
#define DOWNHILL_TARGET __attribute__((target("sse2" DOWNHILL_TARGET_LIST)))
#endif

/* Name of a micro-kernel of this level. */
#define DOWNHILL_NAME(kernel) DOWNHILL_PASTE(downhill_##kernel##_, DOWNHILL_LEVEL_NAME)

#endif
