/* SPDX-License-Identifier: MIT
 *
 * The header of the NPY format, in which NumPy keeps one array. */
#ifndef DOWNHILL_DATA_NPY_H
#define DOWNHILL_DATA_NPY_H

#include <stdbool.h>
#include <stddef.h>

enum { NPY_DIMENSIONS_MAX = 8, NPY_HEADER_MAX = 256, NPY_PREFIX = 12, NPY_TYPE_TEXT = 48 };

typedef struct npy_header {
    char
        kind; /* NumPy's letter: f, i, u, b (bool), c, U, S, O, M, m or V, which stands for structures as well */
    size_t element_bytes; /* of U: four for each character */
    bool big_endian, fortran_order;
    char type[16]; /* the descriptor in the file, as "<f8"; "" of a structure */
    size_t dimensions, shape[NPY_DIMENSIONS_MAX];
    size_t elements; /* their product */
    size_t size;     /* of the header: what follows are the elements */
} npy_header;

/* Reads the header at the start of `bytes`. If it is larger than `count`, *h has the size that it says, and
 * nothing else. Returns NULL, or what is wrong, in words for a message. */
const char *npy_parse(const unsigned char *bytes, size_t count, npy_header *h);

/* Writes a header of version 1.0, padded to a multiple of 64 bytes, of little-endian elements in C order. Returns its
 * size. */
size_t npy_format(const npy_header *h, unsigned char bytes[NPY_HEADER_MAX]);

/* Returns whether elements are bytes without a type, which NumPy also writes for types that it does not know, such as bfloat16. */
bool npy_is_raw(const npy_header *h);

/* The type in the words of NumPy: "float64 ('<f8')". */
void npy_type_text(const npy_header *h, char text[NPY_TYPE_TEXT]);

#endif
