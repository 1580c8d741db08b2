/* SPDX-License-Identifier: MIT
 *
 * An array read from a file: rows of elements of one type, in memory or mapped. */
#ifndef DOWNHILL_DATA_ARRAY_H
#define DOWNHILL_DATA_ARRAY_H

#include "mapping.h"

#include <stddef.h>

typedef enum array_type { ARRAY_U8, ARRAY_F32 } array_type;

typedef struct array {
    size_t rows;    /* the first dimension */
    size_t columns; /* the product of the others; 1 if there is none */
    array_type type;
    void *elements; /* rows × columns */
    mapping map;    /* mapping that holds the elements; empty if they are allocated */
} array;

size_t array_element_bytes(array_type type);
void array_free(array *a);

/* Maps a file that must hold `header` bytes followed by exactly the rows × columns elements of *a.
 * Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int array_map(const char *path, size_t header, array *a);

#endif
