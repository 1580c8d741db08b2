/* SPDX-License-Identifier: MIT
 *
 * Decimal numbers in text: rounded exactly, and the same whatever the locale. */
#ifndef DOWNHILL_DATA_DECIMAL_H
#define DOWNHILL_DATA_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* A number is [+-]DIGITS[.DIGITS][e[+-]DIGITS], with digits on one side of the point at least. What is read ends where
 * that ends: the text must end in something else, as a NUL. */
typedef enum decimal_fault {
    DECIMAL_GOOD,
    DECIMAL_MALFORMED,
    DECIMAL_NOT_FINITE, /* nan, inf, infinity; or beyond f32 */
    DECIMAL_NOT_WHOLE   /* or not within ±(2⁵³ - 1) */
} decimal_fault;

/* The nearest f32, ties to even; subnormals and what underflows to 0 are good. *end is behind the number. */
decimal_fault decimal_f32(const char *text, const char **end, float *value);

/* An integer, also as "1.0" or "1e1". */
decimal_fault decimal_whole(const char *text, const char **end, int64_t *value);

#endif
