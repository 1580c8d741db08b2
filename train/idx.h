/* SPDX-License-Identifier: MIT
 *
 * The IDX format of the MNIST family: a big-endian header (two zero bytes, type, number of
 * dimensions, the sizes as 32-bit integers), then the elements; raw or gzip. */
#ifndef DOWNHILL_TRAIN_IDX_H
#define DOWNHILL_TRAIN_IDX_H

#include "mapping.h"

#include <stddef.h>
#include <stdint.h>

/* An array of unsigned bytes, the only type that the classic data sets use. */
typedef struct idx_array {
    size_t rows;    /* the first dimension */
    size_t columns; /* the product of the others; 1 if there is none */
    uint8_t *bytes; /* rows × columns */
    mapping map;    /* what they are in, or nothing: memory of their own */
} idx_array;

/* Reads a whole file of `dimensions_min` to `dimensions_max` dimensions. Returns EXIT_OK, or prints
 * a line that names file, place and reason, and returns EXIT_DATA or EXIT_INTERNAL. Memory grows
 * with what the file really holds, not with what its header promises. */
int idx_read(const char *path, unsigned dimensions_min, unsigned dimensions_max, idx_array *array);

/* The same with the elements left in the file, which must not be compressed. */
int idx_map(const char *path, unsigned dimensions_min, unsigned dimensions_max, idx_array *array);
void idx_free(idx_array *array);

#endif
