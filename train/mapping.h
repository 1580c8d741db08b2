/* SPDX-License-Identifier: MIT
 *
 * Files of records mapped into memory as rows of one matrix, so that sets larger than memory can be
 * read as any other. */
#ifndef DOWNHILL_TRAIN_MAPPING_H
#define DOWNHILL_TRAIN_MAPPING_H

#include <stddef.h>
#include <stdint.h>

typedef struct mapping {
    uint8_t *bytes;
    size_t size; /* of the address space, gaps between the files included */
} mapping;

/* Maps whole files of records of so many bytes, read-only; first[f] is the number of the record that the
 * f-th starts with, counted in record_bytes from the start of the mapping: between two files there
 * is a gap of whole records, because a file can start on a page only. Returns EXIT_OK, or prints a line
 * and returns EXIT_DATA or EXIT_INTERNAL. A file that is cut while it is mapped ends the program. */
int mapping_open(const char *const *paths, size_t count, size_t record_bytes, mapping *map,
                 size_t *first);
void mapping_close(mapping *map);

#endif
