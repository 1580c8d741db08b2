/* SPDX-License-Identifier: MIT
 *
 * The cases of verify: shapes chosen to reach every tail, then random shapes. Everything else is
 * drawn from the seed and the number of the case, so that a single case can be rerun. */
#ifndef DOWNHILL_VERIFY_CASES_H
#define DOWNHILL_VERIFY_CASES_H

#include "arena.h"
#include "base/rng.h"
#include "downhill.h"

#include <stdbool.h>

/* Kind of input numbers. */
enum numbers {
    /* Integers small enough that every sum is exact in f32 (< 2²⁴), and large enough that bf16
     * would round them. A correct kernel must match to the last bit, so that a dropped tail, a
     * swapped layout or a lost bit is detected, however long the sum. */
    NUMBERS_EXACT,
    NUMBERS_REAL, /* reals of mixed magnitude, compared within the derived bound */
    NUMBERS_WIDE, /* scores up to ±1e4, for the losses */
    /* Reals, with a few NaN, infinities and zeros of both signs among them. A step on bf16 gets
     * reals only, because some levels turn an infinite score into a NaN. */
    NUMBERS_SPECIAL,
};

typedef struct verify_case {
    long number;
    size_t n, d, c;
    size_t x_rows; /* rows of x, >= n */
    size_t ldx, ldw, lddw, lds, ldds;
    enum placement placement;
    size_t offset; /* for PLACE_INSIDE; each buffer adds a number of its own */
    enum numbers numbers;
    bool scattered; /* samples are selected by row numbers, with repeats */
    bool far;       /* x is declared larger than any cache */
    size_t n_next;  /* samples announced for prefetching, after the n */
    bool bias;
    bool in_place; /* dscores overwrite scores */
    bool accumulate;
    downhill_sgd sgd;  /* with the hinge loss */
    float decay, step; /* 1 - η·λ and η/n, as downhill_update_f32() defines them */
    rng random;        /* generator of the data, after the choices above */
} verify_case;

size_t verify_case_count(void);
size_t verify_chosen_count(void); /* cases with chosen shapes, which come first */
verify_case verify_case_at(uint64_t seed, size_t number);

/* Returns the bytes of an arena that fits every matrix of every case of a seed. */
size_t verify_case_arena_bytes(uint64_t seed);

/* Labels of a batch that needs none. Reading them faults. */
#define VERIFY_NO_LABELS ((const int32_t *)sizeof(int32_t))

#endif
