/* SPDX-License-Identifier: MIT
 *
 * Makes the compiler keep the arithmetic that downhill.h promises, whatever its flags. Flags
 * that break the promise are overridden here if the compiler allows it, and rejected otherwise.
 * tests/check_flags.sh builds the sources with each of them. */
#ifndef DOWNHILL_ARITHMETIC_H
#define DOWNHILL_ARITHMETIC_H

#include "isa/target.h"

#if defined __FAST_MATH__
#error "downhill needs IEEE 754 arithmetic: build it without -ffast-math or -Ofast"
#elif defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__
#error "downhill needs NaN and infinities: build it without -ffinite-math-only"
#elif defined __ASSOCIATIVE_MATH__
#error                                                                                             \
    "downhill needs sums in order: build it without -fassociative-math or -funsafe-math-optimizations"
#elif defined __RECIPROCAL_MATH__
#error "downhill needs exact divisions: build it without -freciprocal-math"
#elif defined __NO_SIGNED_ZEROS__
#error "downhill needs signed zeros: build it without -fno-signed-zeros"
/* GCC reports 16 if _Float16 has instructions, as with -march=sapphirerapids; float stays float. */
#elif defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16 ||      \
    defined __x86_64__ && !defined __SSE2_MATH__
#error "downhill needs float arithmetic in float: build it with -msse2 -mfpmath=sse"
#endif
_Static_assert(sizeof(size_t) >= 8, "downhill needs a target with 64-bit addresses");
_Static_assert(sizeof 1.0 == sizeof(double),
               "downhill needs constants in double: build it without -fsingle-precision-constant");

/* Each product and sum is rounded by itself; only explicit FMAs are fused. GCC contracts by
 * default in GNU dialects and Clang in all dialects, and no macro reveals -ffp-contract. Clang
 * 14 has no macros for the parts of -ffast-math either, but the pragmas override them. */
#if defined __clang__
#if defined __x86_64__
#pragma float_control(precise, on)
#else
#pragma clang fp reassociate(off)
#endif
#pragma STDC FP_CONTRACT OFF
#elif defined __GNUC__
#pragma GCC optimize("fp-contract=off")
#endif

/* Rounds a product, a float or a vector, before it is added to a sum. Only Clang needs this, and
 * only with -ffp-contract=fast, which ignores the pragma. The empty asm statement hides the
 * origin of the value and emits no instruction. It prevents vectorisation, so portable sources
 * use it only if the flags enable an FMA. The CMake build passes -ffp-contract=off and defines
 * DOWNHILL_CONTRACTION_OFF. */
#if defined __clang__ && !defined DOWNHILL_CONTRACTION_OFF && defined __x86_64__ &&                \
    (!defined DOWNHILL_PORTABLE || defined __FMA__ || defined __FMA4__)
#define DOWNHILL_ROUND(product) __asm__("" : "+v"(product))
#elif defined __clang__ && !defined DOWNHILL_CONTRACTION_OFF && defined __aarch64__
#define DOWNHILL_ROUND(product) __asm__("" : "+w"(product))
#else
#define DOWNHILL_ROUND(product) ((void)(product))
#endif

#endif
