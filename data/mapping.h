/* SPDX-License-Identifier: MIT
 *
 * Files of records mapped into memory as rows of one matrix, so that sets larger than memory can be
 * read as any other. */
#ifndef DOWNHILL_DATA_MAPPING_H
#define DOWNHILL_DATA_MAPPING_H

#include <stddef.h>
#include <stdint.h>

typedef struct mapping {
    uint8_t *bytes;
    size_t size; /* of the address space, gaps between the files included */
} mapping;

/* Where the records of a file are, counted from the start of the mapping. */
typedef struct mapped_records {
    size_t first, count;
} mapped_records;

/* Maps whole files of records of so many bytes, read-only. Between two files there is a gap of whole
 * records, because a file can start on a page only. Returns EXIT_OK, or prints a line and returns
 * EXIT_DATA or EXIT_INTERNAL. A file that is cut short or cannot be read while it is mapped ends the program with a line and
 * EXIT_DATA (mapping_fault.h). */
int mapping_open(const char *const *paths, size_t count, size_t record_bytes, mapping *map,
                 mapped_records *files);
void mapping_close(mapping *map);

#endif
