/* SPDX-License-Identifier: MIT
 *
 * Includes cmocka and the headers that it requires before it. */
#ifndef DOWNHILL_TESTS_CMOCKA_ALL_H
#define DOWNHILL_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
