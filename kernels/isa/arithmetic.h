/* SPDX-License-Identifier: MIT
 *
 * Holds the compiler to the arithmetic that downhill.h promises, whatever flags it is given. Flags that break the
 * promise are switched off here where the compiler allows that, and refused where it does not. tests/check_flags.sh
 * builds the sources with each of them. */
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
/* 16 is what GCC says where _Float16 has instructions, as with -march=sapphirerapids: float stays float. */
#elif defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16 ||      \
    (defined __x86_64__ || defined __i386__) && !defined __SSE2_MATH__
#error "downhill needs float arithmetic in float: build it with -msse2 -mfpmath=sse"
#endif
_Static_assert(sizeof 1.0 == sizeof(double),
               "downhill needs constants in double: build it without -fsingle-precision-constant");

/* Products and sums are rounded one by one: an FMA stands only where the source asks for it. Contraction is GCC's
 * default in its own dialect and Clang's in all of them, and no macro tells of -ffp-contract. Clang 14 has no macros
 * for the parts of -ffast-math either, but undoes them here. */
#if defined __clang__
#if defined __x86_64__ || defined __i386__
#pragma float_control(precise, on)
#else
#pragma clang fp reassociate(off)
#endif
#pragma STDC FP_CONTRACT OFF
#elif defined __GNUC__
#pragma GCC optimize("fp-contract=off")
#endif

/* Rounds a product, a float or a vector, before a sum uses it. Only Clang needs it, and only with -ffp-contract=fast,
 * which fuses whatever the source says: the empty statement hides where the value comes from, and takes no
 * instruction. It would keep a portable source from being vectorised, and stands there only if the flags bring an FMA.
 * The CMake build passes -ffp-contract=off and defines DOWNHILL_CONTRACTION_OFF. */
#if defined __clang__ && !defined DOWNHILL_CONTRACTION_OFF && defined __x86_64__ &&                \
    (!defined DOWNHILL_PORTABLE || defined __FMA__ || defined __FMA4__)
#define DOWNHILL_ROUND(product) __asm__("" : "+v"(product))
#elif defined __clang__ && !defined DOWNHILL_CONTRACTION_OFF && defined __aarch64__
#define DOWNHILL_ROUND(product) __asm__("" : "+w"(product))
#else
#define DOWNHILL_ROUND(product) ((void)(product))
#endif

#endif
