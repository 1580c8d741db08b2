/* SPDX-License-Identifier: MIT
 *
 * Conversion of elements of NumPy's types to the types of the program. */
#ifndef DOWNHILL_DATA_NPY_CONVERT_H
#define DOWNHILL_DATA_NPY_CONVERT_H

#include "npy.h"

#include <stdint.h>

/* Statistics of a conversion. */
typedef struct npy_conversion {
    size_t rounded;    /* elements that f32 cannot represent exactly, without those that became 0 */
    size_t vanished;   /* elements other than 0 that became 0 */
    size_t nonzero;    /* elements of a real type that are not 0 */
    bool beyond_bytes; /* an element is not a whole number from 0 to 255 */
    bool beyond_bool;  /* an element is neither 0 nor 1 */
} npy_conversion;

/* Returns whether the elements can be converted to f32: bool, or numbers of up to 64 bits. */
bool npy_is_number(const npy_header *h);

/* Converts `count` elements to f32, rounded to nearest. Returns `count`, or the index of the first
 * that is finite but beyond f32. */
size_t npy_to_f32(const npy_header *h, const unsigned char *from, size_t count, float *to,
                  npy_conversion *seen);

typedef enum npy_fault { NPY_GOOD, NPY_NOT_FINITE, NPY_NOT_WHOLE, NPY_TOO_LARGE } npy_fault;

/* Converts an element to an integer: for integer types any that fits int64_t, for others a whole
 * number within ±2⁵³. Returns NPY_GOOD, or what is wrong with it. */
npy_fault npy_to_integer(const npy_header *h, const unsigned char *element, int64_t *value);

/* Returns the value as a real number, for messages. */
double npy_to_double(const npy_header *h, const unsigned char *element);

/* Converts an element of kind U or S to UTF-8, without trailing zeros; `text` has room for
 * element_bytes + 1 bytes. Returns false if it is not UTF-8, is empty or has control characters. */
bool npy_to_text(const npy_header *h, const unsigned char *element, char *text);

/* Transposes an array from Fortran order to C order; elements have `bytes` (1 or 4) bytes. Returns
 * false if memory is short. */
bool npy_to_c_order(const npy_header *h, size_t bytes, const void *from, void *to);

#endif
