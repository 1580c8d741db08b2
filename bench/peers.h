/* SPDX-License-Identifier: MIT
 *
 * Other libraries with a matrix product, timed on the same buffers. They are loaded at run time and
 * never linked, each into its own symbol scope, because two of them define the BLAS names. They run
 * on one thread. */
#ifndef DOWNHILL_BENCH_PEERS_H
#define DOWNHILL_BENCH_PEERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { PEERS_COUNT = 3 };

typedef struct peer {
    const char *name; /* "openblas" */
    /* Computes C = A·B, or C + A·B to accumulate, on row-major matrices: A is m×k, or k×m if
     * transposed, and B is k×n, or n×k if transposed. */
    void (*sgemm)(const struct peer *p, bool transpose_a, bool transpose_b, size_t m, size_t n,
                  size_t k, const float *a, size_t lda, const float *b, size_t ldb, bool accumulate,
                  float *c, size_t ldc);
    void (*function)(void); /* matrix product of the library */
    const char *library;    /* file name */
    char version[96];  /* with the kernels selected for this CPU, if the library reports them */
    char missing[128]; /* why it cannot be used; "" if it can */
} peer;

/* Returns the PEERS_COUNT libraries, loaded by the first call. If a library would use slow kernels
 * because it does not know this CPU, its environment variable is set to faster ones, unless it is
 * already set. */
const peer *peers_open(void);

json_t *peers_to_json(void);

#endif
