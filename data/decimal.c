/* SPDX-License-Identifier: MIT */
#include "decimal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHOLE_MAX 0x1p53

/* Checks the syntax, since strtod() and strtof() round correctly but also accept blanks,
 * hexadecimal and words. The decimal point is '.', as the program does not call setlocale(). */
static decimal_fault check(const char *text, const char *end)
{
    const char *digits = text + (*text == '+' || *text == '-');
    if (strncasecmp(digits, "nan", 3) == 0 || strncasecmp(digits, "inf", 3) == 0)
        return DECIMAL_NOT_FINITE;
    if (!isdigit((unsigned char)*digits) && *digits != '.')
        return DECIMAL_MALFORMED;
    return end > text && (size_t)(end - digits) == strspn(digits, "0123456789.eE+-")
               ? DECIMAL_GOOD
               : DECIMAL_MALFORMED;
}

decimal_fault decimal_f32(const char *text, const char **end, float *value)
{
    char *stop;
    *value = strtof(text, &stop);
    *end = stop;
    const decimal_fault fault = check(text, stop);
    return fault == DECIMAL_GOOD && !isfinite(*value) ? DECIMAL_NOT_FINITE : fault;
}

decimal_fault decimal_whole(const char *text, const char **end, int64_t *value)
{
    char *stop;
    const double number = strtod(text, &stop);
    *end = stop;
    const decimal_fault fault = check(text, stop);
    if (fault != DECIMAL_GOOD)
        return fault;
    if (!isfinite(number))
        return DECIMAL_NOT_FINITE;
    if (number != nearbyint(number) || fabs(number) >= WHOLE_MAX)
        return DECIMAL_NOT_WHOLE;
    *value = (int64_t)number;
    return DECIMAL_GOOD;
}
