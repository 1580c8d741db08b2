/* SPDX-License-Identifier: MIT
 *
 * Counts of operations and bytes as functions of a shape. They are printed and evaluated from the
 * same coefficients, so that the documentation shows what the figures are computed from. */
#ifndef DOWNHILL_BENCH_POLYNOMIAL_H
#define DOWNHILL_BENCH_POLYNOMIAL_H

#include <stddef.h>

typedef struct polynomial {
    double nd_c, nd, dc, nc, c, n; /* coefficients of n·d·c, n·d, d·c, n·c, c and n */
} polynomial;

double polynomial_value(const polynomial *p, size_t n, size_t d, size_t c);

/* Writes "2*n*d*c + n*c". */
void polynomial_text(const polynomial *p, char *text, size_t size);

#endif
