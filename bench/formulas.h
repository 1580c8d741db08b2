/* SPDX-License-Identifier: MIT
 *
 * What is timed: each kernel with the operations and bytes that it is credited with. */
#ifndef DOWNHILL_BENCH_FORMULAS_H
#define DOWNHILL_BENCH_FORMULAS_H

#include "ceilings.h"
#include "isa/kernels.h"
#include "verify/verify.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads as "the sum of coefficient × product of dimensions"; printed and evaluated from one place,
 * so that what the documentation shows is what the figures use. */
typedef struct polynomial {
    double nd_c, nd, dc, nc, c, n; /* coefficients of n·d·c, n·d, d·c, n·c, c and n */
} polynomial;

typedef enum bench_kernel {
    BENCH_SCORE, /* rows of a group stand together, so that they are sampled together */
    BENCH_SCORE_BF16,
    BENCH_SCORE_U8,
    BENCH_PACK,      /* what a step with packed weights does first */
    BENCH_PACK_BF16, /* in two terms each */
    BENCH_HINGE,
    BENCH_HINGE_U8,
    BENCH_SOFTMAX,
    BENCH_GRAD,
    BENCH_GRAD_BF16,
    BENCH_GRAD_HINGE_BF16, /* dscores of the hinge loss: small integers */
    BENCH_GRAD_U8,         /* also those */
    BENCH_UPDATE,
    BENCH_UPDATE_U8, /* and the new weights packed */
    BENCH_UPDATE_NORMALISED_U8,
    BENCH_STEP_HINGE,
    BENCH_STEP_HINGE_MET50, /* half of the samples meet every margin */
    BENCH_STEP_HINGE_MET95,
    BENCH_STEP_HINGE_BF16,
    BENCH_STEP_HINGE_U8,
    BENCH_CHAIN_HINGE,
    BENCH_STEP_SOFTMAX,
    BENCH_EPOCH_HINGE, /* minibatches of BENCH_EPOCH_ROWS */
    BENCH_EPOCH_HINGE_SHUFFLED,
    BENCH_EPOCH_HINGE_BF16,
    BENCH_EPOCH_HINGE_U8,
    BENCH_EPOCH_HINGE_SHUFFLED_U8,
    BENCH_READ_U8, /* nothing but the reading that an epoch does */
    BENCH_READ_SHUFFLED_U8,
    BENCH_KERNEL_COUNT
} bench_kernel;

enum { BENCH_EPOCH_ROWS = 256 };

typedef struct bench_formula {
    const char *kernel;
    const char *group; /* kernels of a group are timed interleaved: they are compared */
    polynomial flops;
    polynomial bytes; /* each operand crossing the bus once, as f32, int32 labels */
    polynomial holds; /* bytes of the different operands: the working set */
    const char *note;
    enum element element; /* of the features; only their kernels differ between some levels */
} bench_formula;

extern const bench_formula bench_formulas[BENCH_KERNEL_COUNT];

/* What its operations are. */
enum ceiling_products bench_products(bench_kernel kernel);

/* The operations that must be right for its time to mean anything, 1 << verify_op each. */
uint32_t bench_proofs(bench_kernel kernel);

/* Is it timed only where there is more than one step of BENCH_EPOCH_ROWS? */
bool bench_is_epoch(bench_kernel kernel);

double polynomial_value(const polynomial *p, size_t n, size_t d, size_t c);

/* "2*n*d*c + n*c" */
void polynomial_text(const polynomial *p, char *text, size_t size);

#endif
