/* SPDX-License-Identifier: MIT */
#include "npy_convert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Integers with more significant bits are rounded. */
#define F32_SIGNIFICAND (UINT64_C(1) << 24)

bool npy_is_number(const npy_header *h)
{
    const size_t bytes = h->element_bytes;
    switch (h->kind) {
    case 'f':
        return bytes == 2 || bytes == 4 || bytes == 8;
    case 'i':
    case 'u':
        return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    default:
        return h->kind == 'b' && bytes == 1;
    }
}

static uint64_t load(const npy_header *h, const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[h->big_endian ? bytes - 1 - i : i] << (8 * i);
    return value;
}

static double half_to_double(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31)
        value = fraction == 0 ? (double)INFINITY : (double)NAN;
    return (bits & 0x8000) != 0 ? -value : value;
}

/* Returns an element of kind f. */
static double real_of(const npy_header *h, const unsigned char *element)
{
    const uint64_t bits = load(h, element, h->element_bytes);
    const uint32_t low = (uint32_t)bits;
    float single;
    double value;
    if (h->element_bytes == 2)
        return half_to_double(bits);
    memcpy(&single, &low, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return h->element_bytes == 4 ? (double)single : value;
}

/* Returns the magnitude of an element of kind i, u or b, and its sign. */
static uint64_t magnitude_of(const npy_header *h, const unsigned char *element, bool *negative)
{
    const uint64_t bits = load(h, element, h->element_bytes);
    const unsigned width = (unsigned)(8 * h->element_bytes);
    *negative = h->kind == 'i' && (bits >> (width - 1)) != 0;
    if (h->kind == 'b')
        return bits != 0;
    if (!*negative)
        return bits;
    const uint64_t sign = UINT64_C(1) << (width - 1);
    /* for 64 bits sign << 1 is 0, and the difference wraps to the right value */
    return (sign << 1) - bits;
}

double npy_to_double(const npy_header *h, const unsigned char *element)
{
    if (h->kind == 'f')
        return real_of(h, element);
    bool negative;
    const double magnitude = (double)magnitude_of(h, element, &negative);
    return negative ? -magnitude : magnitude;
}

static size_t reals_to_f32(const npy_header *h, const unsigned char *from, size_t count, float *to,
                           npy_conversion *seen)
{
    seen->beyond_bytes = true; /* reals are not meant as bytes, whatever their values */
    for (size_t i = 0; i < count; i++, from += h->element_bytes) {
        const double value = real_of(h, from);
        to[i] = (float)value;
        if (isfinite(value) && !isfinite(to[i]))
            return i;
        const bool vanished = value != 0.0 && to[i] == 0.0f;
        seen->nonzero += value != 0.0;
        seen->vanished += vanished;
        seen->rounded += isfinite(value) && (double)to[i] != value && !vanished;
    }
    return count;
}

/* Returns whether f32 represents an integer exactly: without its trailing zero bits it has at most
 * 24 bits. */
static bool is_exact(uint64_t magnitude)
{
    const uint64_t lowest_bit = magnitude & (0 - magnitude);
    return magnitude < F32_SIGNIFICAND || magnitude / F32_SIGNIFICAND < lowest_bit;
}

size_t npy_to_f32(const npy_header *h, const unsigned char *from, size_t count, float *to,
                  npy_conversion *seen)
{
    if (h->kind == 'f')
        return reals_to_f32(h, from, count, to, seen);
    for (size_t i = 0; i < count; i++, from += h->element_bytes) {
        bool negative;
        const uint64_t magnitude = magnitude_of(h, from, &negative);
        to[i] = negative ? -(float)magnitude : (float)magnitude;
        seen->rounded += !is_exact(magnitude);
        seen->beyond_bytes |= negative || magnitude > 255;
        seen->beyond_bool |= negative || magnitude > 1;
    }
    return count;
}

npy_fault npy_to_integer(const npy_header *h, const unsigned char *element, int64_t *value)
{
    if (h->kind == 'f') {
        const double real = real_of(h, element);
        if (!isfinite(real))
            return NPY_NOT_FINITE;
        if (real != floor(real))
            return NPY_NOT_WHOLE;
        if (fabs(real) > 0x1p53)
            return NPY_TOO_LARGE;
        *value = (int64_t)real;
        return NPY_GOOD;
    }
    bool negative;
    const uint64_t magnitude = magnitude_of(h, element, &negative);
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return NPY_TOO_LARGE;
    *value = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return NPY_GOOD;
}

/* ---- text ---- */

/* Writes a character in UTF-8. Returns the number of bytes, or 0 if a name must not contain it. */
static size_t put_utf8(uint32_t c, char *to)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        return 0;
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    const size_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00u >> bytes & 0xf0) | c);
    return bytes;
}

/* Decodes a UTF-8 character. Returns its number of bytes, or 0 if it is malformed or incomplete. */
static size_t take_utf8(const unsigned char *at, size_t remaining, uint32_t *c)
{
    const size_t bytes = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (bytes > remaining || (at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4)
        return 0;
    *c = bytes == 1 ? at[0] : at[0] & (0x7fu >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (at[i] & 0x3fu);
    }
    const uint32_t code_min[] = {0, 0, 0x80, 0x800, 0x10000};
    return *c >= code_min[bytes] ? bytes : 0;
}

bool npy_to_text(const npy_header *h, const unsigned char *element, char *text)
{
    const size_t unit = h->kind == 'U' ? 4 : 1;
    size_t end = h->element_bytes / unit, used = 0;
    while (end > 0 && load(h, element + (end - 1) * unit, unit) == 0)
        end--;
    for (size_t i = 0; i < end;) {
        uint32_t c;
        const size_t taken = unit == 4 ? 1 : take_utf8(element + i, end - i, &c);
        if (unit == 4)
            c = (uint32_t)load(h, element + i * unit, unit);
        const size_t written = taken > 0 ? put_utf8(c, text + used) : 0;
        if (written == 0)
            return false;
        used += written;
        i += taken;
    }
    text[used] = '\0';
    return used > 0;
}

/* ---- order ---- */

/* Computes the column in C order of each column in Fortran order: in Fortran order the first of the
 * other dimensions varies fastest, in C order the last one. */
static void order_columns(const npy_header *h, size_t columns, size_t *c_order)
{
    for (size_t f = 0; f < columns; f++) {
        size_t rest = f, column = 0;
        for (size_t i = 1; i < h->dimensions; i++) {
            column = column * h->shape[i] + rest % h->shape[i];
            rest /= h->shape[i];
        }
        c_order[f] = column;
    }
}

bool npy_to_c_order(const npy_header *h, size_t bytes, const void *from, void *to)
{
    enum { BLOCK = 64 }; /* rows whose cache lines stay in a cache while all columns are copied */
    const size_t rows = h->shape[0], columns = h->elements / rows;
    size_t *c_order = malloc(columns * sizeof *c_order);
    if (c_order == NULL)
        return false;
    order_columns(h, columns, c_order);
    for (size_t first = 0; first < rows; first += BLOCK) {
        const size_t end = rows - first > BLOCK ? first + BLOCK : rows;
        for (size_t f = 0; f < columns; f++)
            for (size_t i = first; i < end; i++)
                if (bytes == 1)
                    ((uint8_t *)to)[i * columns + c_order[f]] =
                        ((const uint8_t *)from)[f * rows + i];
                else
                    ((float *)to)[i * columns + c_order[f]] = ((const float *)from)[f * rows + i];
    }
    free(c_order);
    return true;
}
