/* SPDX-License-Identifier: MIT
 *
 * Helpers of the tests of the operations on bytes. These run on the levels of this machine, and
 * again on the emulated ones. */
#ifndef DOWNHILL_TESTS_U8_SUPPORT_H
#define DOWNHILL_TESTS_U8_SUPPORT_H

#include "cmocka_all.h"

#include "base/levels.h"

#include <stdlib.h>

/* Allocates zeroed memory; fails the test if there is none. */
static inline void *new (size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    assert_non_null(p);
    return p;
}

/* Finds the kernel table of every usable level, and returns their number. */
static inline size_t all_tables(const downhill_kernels *tables[LEVELS_MAX])
{
    const size_t count = levels_to_run(NULL, tables);
    assert_true(count > 0);
    return count;
}

#endif
