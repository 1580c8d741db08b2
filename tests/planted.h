/* SPDX-License-Identifier: MIT
 *
 * What the tests share that put a bug around a kernel: what such bugs do, and that verify must see them. */
#ifndef DOWNHILL_TESTS_PLANTED_H
#define DOWNHILL_TESTS_PLANTED_H

#include "isa/kernels.h"

#include <stddef.h>

enum { SHIFTED_MAX = BLOCK_ROWS_MAX + U8_ROWS_PAST_END };

/* A count with its last few dropped, as by a loop over whole vectors; one that is no more than a vector stays. */
size_t without_tail(size_t count);

/* Each row is the one behind it. */
void shift_rows(size_t n, const void *const *x, const void **shifted);

/* The first two rows of a matrix with elements of that size, ld wide. */
void swap_first_two(void *a, size_t ld, size_t size);

float to_bf16(float value);

/* verify finds the bug in this table, of which only the bug is wrong. */
void must_fail(const downhill_kernels *table, const char *op, const char *bug);

/* Without a bug there is nothing to find. */
void assert_right(const downhill_kernels *table);

#endif
