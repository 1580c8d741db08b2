/* SPDX-License-Identifier: MIT
 *
 * Helpers of the tests that wrap a kernel with a bug and check that verify catches it. */
#ifndef DOWNHILL_TESTS_PLANTED_H
#define DOWNHILL_TESTS_PLANTED_H

#include "isa/kernels.h"

#include <stddef.h>

enum { SHIFTED_MAX = BLOCK_ROWS_MAX + U8_ROWS_PAST_END };

/* Rounds a count down to whole vectors, as a loop without a tail would. A count of at most one
 * vector is returned unchanged. */
size_t without_tail(size_t count);

/* Replaces each row by the next one, and the last row by itself. */
void shift_rows(size_t n, const void *const *x, const void **shifted);

/* Swaps the first elements of two rows that are ld elements of `size` bytes apart. */
void swap_first_two(void *a, size_t ld, size_t size);

/* Clears the scores and returns them as their own start, which drops the bias. */
struct scores scores_from_zeros(size_t n, size_t c, const struct scores *scores);

/* Rounds to bf16. */
float to_bf16(float value);

/* Fails the test unless verify finds the bug in this table. */
void assert_caught(const downhill_kernels *table, const char *kernel, const char *bug);

/* Checks that verify finds nothing in a table without a bug. */
void assert_passes(const downhill_kernels *table);

#endif
