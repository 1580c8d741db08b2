/* SPDX-License-Identifier: MIT
 *
 * The cases that verify walks: shapes chosen to meet every tail, then shapes drawn at random; all else is
 * drawn at random from the seed and the number of the case, so that a case can be run again alone. */
#ifndef DOWNHILL_VERIFY_CASES_H
#define DOWNHILL_VERIFY_CASES_H

#include "arena.h"
#include "base/rng.h"
#include "downhill.h"

#include <stdbool.h>

/* How the numbers are drawn. */
enum numbers {
    /* Integers small enough that every sum is exact in f32 (< 2²⁴) and large enough that bf16 would
     * round them: any correct kernel must match to the last bit, and a dropped tail, a swapped
     * layout or a lost bit shows, however long the sum. */
    NUMBERS_EXACT,
    NUMBERS_REAL, /* reals of mixed magnitude, held to the derived bound */
    NUMBERS_WIDE, /* for losses: scores up to ±1e4 */
    /* Reals with a few NaN, infinities and zeros of either sign between them; a step on bf16, where some levels
     * make an infinite score a NaN, takes them for reals. */
    NUMBERS_SPECIAL,
};

typedef struct verify_case {
    long number;
    size_t n, d, c;
    size_t x_rows; /* rows that x has, >= n */
    size_t ldx, ldw, lddw, lds, ldds;
    enum placement placement;
    size_t offset; /* for PLACE_INSIDE, different for every buffer by its index */
    enum numbers numbers;
    bool scattered; /* through row numbers, with repeats */
    bool far;       /* and said to be of a matrix too large for any cache */
    size_t n_next;  /* samples announced behind the n */
    bool bias;
    bool in_place; /* dscores over scores */
    bool accumulate;
    downhill_sgd sgd;  /* its loss is the hinge loss */
    float decay, step; /* 1 - η·λ and η/n, by the definition of downhill_update_f32() */
    rng random;        /* for the data, after the choices above */
} verify_case;

size_t verify_case_count(void);
size_t verify_chosen_count(void); /* those with chosen shapes, which come first */
verify_case verify_case_at(uint64_t seed, size_t number);

/* The largest matrix of any case of a seed, in bytes of an arena. */
size_t verify_case_arena_bytes(uint64_t seed);

/* Labels of a batch that needs none: whoever looks at them faults. */
#define VERIFY_NO_LABELS ((const int32_t *)sizeof(int32_t))

#endif
