/* SPDX-License-Identifier: MIT
 *
 * The header of the NPY format, in which NumPy keeps one array. */
#ifndef DOWNHILL_DATA_NPY_H
#define DOWNHILL_DATA_NPY_H

#include <stdbool.h>
#include <stddef.h>

enum { NPY_DIMENSIONS_MAX = 4, NPY_HEADER_MAX = 256, NPY_PREFIX = 12 };

typedef struct npy_header {
    char kind;            /* 'f', 'i', 'u' or 'b' (bool) */
    size_t element_bytes; /* little-endian */
    size_t dimensions, shape[NPY_DIMENSIONS_MAX];
    size_t elements; /* their product */
    size_t size;     /* of the header: what follows are the elements */
} npy_header;

/* Reads the header at the start of `bytes`. If it is larger than `count`, *h has the size that it says, and
 * nothing else. Arrays in the order of Fortran, of other byte orders and of other types are refused. Returns NULL, or
 * what is wrong, in words for a message. */
const char *npy_parse(const unsigned char *bytes, size_t count, npy_header *h);

/* Writes a header of version 1.0, padded to a multiple of 64 bytes. Returns its size. */
size_t npy_format(const npy_header *h, unsigned char bytes[NPY_HEADER_MAX]);

#endif
