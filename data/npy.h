/* SPDX-License-Identifier: MIT
 *
 * The header of NPY files, in which NumPy stores one array. */
#ifndef DOWNHILL_DATA_NPY_H
#define DOWNHILL_DATA_NPY_H

#include <stdbool.h>
#include <stddef.h>

enum { NPY_DIMENSIONS_MAX = 8, NPY_HEADER_MAX = 256, NPY_PREFIX = 12, NPY_TYPE_TEXT = 48 };

typedef struct npy_header {
    /* NumPy's letter: f, i, u, b (bool), c, U, S, O, M, m or V, also used for structures */
    char kind;
    size_t element_bytes; /* for kind U: 4 per character */
    bool big_endian, fortran_order;
    char type[16]; /* the descriptor in the file, such as "<f8"; "" for a structure */
    size_t dimensions, shape[NPY_DIMENSIONS_MAX];
    size_t elements; /* product of the shape */
    size_t size;     /* bytes before the elements */
} npy_header;

/* Reads the header at the start of `bytes`. If it is larger than `count`, only h->size is set.
 * Returns NULL, or an error text for a message. */
const char *npy_parse(const unsigned char *bytes, size_t count, npy_header *h);

/* Writes a header of version 1.0, padded to a multiple of 64 bytes, for little-endian elements in C
 * order. Returns its size in bytes. */
size_t npy_format(const npy_header *h, unsigned char bytes[NPY_HEADER_MAX]);

/* Returns whether elements are bytes without a type, which NumPy also writes for types that it does
 * not know, such as bfloat16. */
bool npy_is_raw(const npy_header *h);

/* Writes the type as NumPy names it: "float64 ('<f8')". */
void npy_type_text(const npy_header *h, char text[NPY_TYPE_TEXT]);

#endif
