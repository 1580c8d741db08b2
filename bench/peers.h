/* SPDX-License-Identifier: MIT
 *
 * The libraries that one would otherwise call for a matrix product, timed beside ours on the same
 * buffers. They are loaded at run time and never linked; each in its own symbol scope, because two
 * BLAS define the same names. Single-threaded. */
#ifndef DOWNHILL_BENCH_PEERS_H
#define DOWNHILL_BENCH_PEERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { PEERS_COUNT = 3 };

typedef struct peer {
    const char *name; /* "openblas" */
    /* C = A·B, or plus C; row-major; A m×k or its transpose k×m, B k×n or its transpose n×k. */
    void (*sgemm)(const struct peer *p, bool transpose_a, bool transpose_b, size_t m, size_t n,
                  size_t k, const float *a, size_t lda, const float *b, size_t ldb, bool accumulate,
                  float *c, size_t ldc);
    void (*function)(void); /* the library's own */
    const char *library;    /* what is asked for */
    char version[96];       /* and the kernels that it chose for this CPU, where it tells */
    char missing[128];      /* why it cannot be used; "" if it can */
} peer;

/* Loads them all, at the first call. A library that does not know this CPU and would fall back to
 * slow kernels is told which to use, unless its own environment variable is set already. */
const peer *peers_open(void);

json_t *peers_to_json(void);

#endif
