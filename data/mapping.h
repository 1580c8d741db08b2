/* SPDX-License-Identifier: MIT
 *
 * Maps files of records into memory as rows of one matrix, so that sets larger than memory can be
 * used like any other. */
#ifndef DOWNHILL_DATA_MAPPING_H
#define DOWNHILL_DATA_MAPPING_H

#include <stddef.h>
#include <stdint.h>

typedef struct mapping {
    uint8_t *bytes;
    size_t size; /* size of the address space in bytes, including gaps between the files */
} mapping;

/* Index of the first record of a file, from the start of the mapping, and the number of its
 * records. */
typedef struct mapped_records {
    size_t first, count;
} mapped_records;

/* Maps whole files of records of `record_bytes` bytes, read-only. Between two files there is a gap
 * of whole records, since a file can only start at a page. Returns EXIT_OK, or prints a line and
 * returns EXIT_DATA or EXIT_INTERNAL. If a file is truncated or cannot be read while it is mapped,
 * the program prints a line and exits with EXIT_DATA (mapping_fault.h). */
int mapping_open(const char *const *paths, size_t count, size_t record_bytes, mapping *map,
                 mapped_records *files);
void mapping_close(mapping *map);

#endif
