/* SPDX-License-Identifier: MIT
 *
 * What is timed: each kernel with the operations and bytes that it is credited with. */
#ifndef DOWNHILL_BENCH_FORMULAS_H
#define DOWNHILL_BENCH_FORMULAS_H

#include "kernels.h"

#include <stddef.h>

/* Reads as "the sum of coefficient × product of dimensions"; printed and evaluated from one place,
 * so that what the documentation shows is what the figures use. */
typedef struct polynomial {
    double nd_c, nd, dc, nc, c, n; /* coefficients of n·d·c, n·d, d·c, n·c, c and n */
} polynomial;

typedef enum bench_kernel {
    BENCH_SCORE, /* rows of a group stand together, so that they are sampled together */
    BENCH_SCORE_BF16,
    BENCH_PACK,      /* what a step with packed weights does first */
    BENCH_PACK_BF16, /* in two terms each */
    BENCH_HINGE,
    BENCH_SOFTMAX,
    BENCH_GRAD,
    BENCH_GRAD_BF16,
    BENCH_GRAD_HINGE_BF16, /* dscores of the hinge loss: small integers */
    BENCH_UPDATE,
    BENCH_STEP_HINGE,
    BENCH_STEP_HINGE_MET50, /* half of the samples meet every margin */
    BENCH_STEP_HINGE_MET95,
    BENCH_STEP_HINGE_BF16,
    BENCH_CHAIN_HINGE,
    BENCH_STEP_SOFTMAX,
    BENCH_EPOCH_HINGE, /* minibatches of BENCH_EPOCH_ROWS */
    BENCH_EPOCH_HINGE_SHUFFLED,
    BENCH_EPOCH_HINGE_BF16,
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

double polynomial_value(const polynomial *p, size_t n, size_t d, size_t c);

/* "2*n*d*c + n*c" */
void polynomial_text(const polynomial *p, char *text, size_t size);

#endif
