/* SPDX-License-Identifier: MIT
 *
 * Elements of the types of NumPy as the types that the program works with. */
#ifndef DOWNHILL_DATA_NPY_CONVERT_H
#define DOWNHILL_DATA_NPY_CONVERT_H

#include "npy.h"

#include <stdint.h>

/* Statistics of a conversion. */
typedef struct npy_conversion {
    size_t rounded;    /* elements that f32 does not hold exactly */
    bool beyond_bytes; /* an element is not a whole number from 0 to 255 */
    bool beyond_bool;  /* an element is neither 0 nor 1 */
} npy_conversion;

/* Can elements become f32? Numbers of up to 64 bits and bool. */
bool npy_is_number(const npy_header *h);

/* Converts `count` elements to f32, rounded to nearest. Returns `count`, or the index of the first that is finite but
 * beyond f32. */
size_t npy_to_f32(const npy_header *h, const unsigned char *from, size_t count, float *to,
                  npy_conversion *seen);

typedef enum npy_fault { NPY_GOOD, NPY_NOT_FINITE, NPY_NOT_WHOLE, NPY_TOO_LARGE } npy_fault;

/* The element as an integer, if it is one within ±2⁵³ or of a type of integers within int64_t. */
npy_fault npy_to_integer(const npy_header *h, const unsigned char *element, int64_t *value);

/* Returns the value as a real number, for messages. */
double npy_to_double(const npy_header *h, const unsigned char *element);

/* An element of kind U or S as UTF-8, without the zeros at its end; at most element_bytes + 1 bytes with its NUL. false: not
 * UTF-8, empty, or with control characters. */
bool npy_to_text(const npy_header *h, const unsigned char *element, char *text);

/* Puts an array of elements in the order of Fortran, of `bytes` (1 or 4) each, into the order of C. */
bool npy_to_c_order(const npy_header *h, size_t bytes, const void *from, void *to);

#endif
