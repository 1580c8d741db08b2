/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "decimal.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No text has as many digits as the largest exponent, so that one cannot make up for the other. */
enum { DIGITS_MAX = 19, EXPONENT_MAX = 1000000000, POWER_MAX = 22 };

/* digits · 10^exponent, and something behind the digits that is not zero if it is not `exact`. */
struct scanned {
    bool negative, exact;
    uint64_t digits;
    int64_t exponent;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits from `at` on; `fraction`: behind the point. */
static const char *scan_digits(const char *at, bool fraction, int *significant, struct scanned *s)
{
    for (; is_digit(*at); at++) {
        const unsigned digit = (unsigned)(*at - '0');
        if (*significant < DIGITS_MAX) {
            s->digits = s->digits * 10 + digit;
            *significant += s->digits != 0;
            s->exponent -= fraction;
        } else {
            s->exact = s->exact && digit == 0;
            s->exponent += !fraction;
        }
    }
    return at;
}

/* "e5"; an "e" without digits is not part of the number. */
static const char *scan_exponent(const char *at, struct scanned *s)
{
    const char *p = at + 1;
    const bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p))
        return at;
    int64_t exponent = 0;
    for (; is_digit(*p); p++)
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*p - '0') : exponent;
    s->exponent += negative ? -exponent : exponent;
    return p;
}

static decimal_fault scan(const char *text, struct scanned *s)
{
    *s = (struct scanned){.negative = *text == '-', .exact = true};
    const char *at = text + (*text == '-' || *text == '+');
    const char *const first = at;
    int significant = 0;
    at = scan_digits(at, false, &significant, s);
    bool any = at > first;
    if (*at == '.') {
        const char *const point = at;
        at = scan_digits(at + 1, true, &significant, s);
        any = any || at > point + 1;
    }
    if (any && (*at == 'e' || *at == 'E'))
        at = scan_exponent(at, s);
    s->end = at;
    if (any)
        return DECIMAL_GOOD;
    const bool word = strncasecmp(first, "nan", 3) == 0 || strncasecmp(first, "inf", 3) == 0;
    return word ? DECIMAL_NOT_FINITE : DECIMAL_MALFORMED;
}

/* Where both factors are doubles and the product is rounded once, to a double, rounding that to f32 is rounding
 * the number to f32, unless it lies half-way between two f32: then which side it came from is lost. Subnormals have
 * fewer bits, so half-way is elsewhere. */
static bool quick_f32(const struct scanned *s, float *value)
{
    static const double powers[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const uint64_t half = UINT64_C(1) << 28, below_f32 = (half << 1) - 1;
    if (!s->exact || s->digits > UINT64_C(1) << 53 || s->exponent < -POWER_MAX ||
        s->exponent > POWER_MAX)
        return false;
    const double digits = (double)s->digits;
    const double d = s->exponent < 0 ? digits / powers[-s->exponent] : digits * powers[s->exponent];
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    if (d != 0.0 && (d < (double)FLT_MIN || d > (double)FLT_MAX || (bits & below_f32) == half))
        return false;
    *value = s->negative ? -(float)d : (float)d;
    return true;
}

decimal_fault decimal_f32(const char *text, const char **end, float *value)
{
    struct scanned s;
    const decimal_fault fault = scan(text, &s);
    *end = s.end;
    if (fault != DECIMAL_GOOD || quick_f32(&s, value))
        return fault;
    char *stop;
    *value = strtof(text, &stop); /* the program never leaves the locale C */
    return isfinite(*value) ? DECIMAL_GOOD : DECIMAL_NOT_FINITE;
}

decimal_fault decimal_whole(const char *text, const char **end, int64_t *value)
{
    const uint64_t limit = UINT64_C(1) << 53;
    struct scanned s;
    const decimal_fault fault = scan(text, &s);
    *end = s.end;
    *value = 0;
    if (fault != DECIMAL_GOOD || (s.digits == 0 && s.exact))
        return fault;
    for (; s.exponent < 0 && s.digits % 10 == 0; s.exponent++)
        s.digits /= 10;
    for (; s.exponent > 0 && s.digits <= limit; s.exponent--)
        s.digits *= 10;
    if (!s.exact || s.exponent != 0 || s.digits > limit)
        return DECIMAL_NOT_WHOLE;
    *value = s.negative ? -(int64_t)s.digits : (int64_t)s.digits;
    return DECIMAL_GOOD;
}
