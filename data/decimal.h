/* SPDX-License-Identifier: MIT
 *
 * Reads decimal numbers in text: correctly rounded, and independent of the locale. */
#ifndef DOWNHILL_DATA_DECIMAL_H
#define DOWNHILL_DATA_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* A number is [+-]DIGITS[.DIGITS][e[+-]DIGITS], with at least one digit before or after the point.
 * Reading stops at the first character that cannot continue the number; the text must have such a
 * character, for example a NUL. */
typedef enum decimal_fault {
    DECIMAL_GOOD,
    DECIMAL_MALFORMED,
    DECIMAL_NOT_FINITE, /* nan, inf, infinity; or beyond f32 */
    DECIMAL_NOT_WHOLE   /* or not within ±(2⁵³ - 1) */
} decimal_fault;

/* Reads the nearest f32, ties to even. Subnormal numbers and underflow to 0 are accepted. *end
 * points past the number. */
decimal_fault decimal_f32(const char *text, const char **end, float *value);

/* Reads an integer, which may be written as "1.0" or "1e1". */
decimal_fault decimal_whole(const char *text, const char **end, int64_t *value);

#endif
