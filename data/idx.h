/* SPDX-License-Identifier: MIT
 *
 * The IDX format of the MNIST family: a big-endian header (two zero bytes, type, number of
 * dimensions, the sizes as 32-bit integers), then the elements; raw or gzip. */
#ifndef DOWNHILL_DATA_IDX_H
#define DOWNHILL_DATA_IDX_H

#include "array.h"

/* Reads a whole file of unsigned bytes, the only type that the classic data sets use, of
 * `dimensions_min` to `dimensions_max` dimensions. Returns EXIT_OK, or prints a line that names
 * file, place and reason and returns EXIT_DATA or EXIT_INTERNAL, with *a empty. Memory grows with
 * the bytes read, not with the size that the header claims. */
int idx_read(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a);

/* Maps such a file, which must not be compressed, instead of reading it. */
int idx_map(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a);

#endif
