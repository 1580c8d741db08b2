/* SPDX-License-Identifier: MIT
 *
 * A file, raw or gzip, or an entry of a ZIP archive, read once from start to end. Memory grows with
 * the bytes read, not with the size that a header claims. */
#ifndef DOWNHILL_DATA_STREAM_H
#define DOWNHILL_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

typedef struct stream {
    const char *path; /* for messages; "FILE: NAME" for an entry */
    gzFile file;      /* NULL for an entry */
    struct zip *archive;
    struct zip_file *entry;
    size_t position; /* in the entry */
    char *own_path;
} stream;

/* All of these return EXIT_OK, or print a line that names file, byte and reason and return
 * EXIT_DATA or EXIT_INTERNAL. A file whose name ends in .gz must be gzip. */
int stream_open(const char *path, stream *s);
int stream_open_entry(const char *archive, const char *name, stream *s);
void stream_close(stream *s);

/* Refuses compressed files and archives, which cannot be mapped. */
int stream_demand_raw(const stream *s);

/* Returns the number of unpacked bytes read so far. */
size_t stream_position(const stream *s);

/* Reads exactly `count` bytes, at most 2³⁰. */
int stream_exactly(stream *s, void *to, size_t count);

/* Reads up to `room` bytes, at most 2³⁰. 0 bytes read means the end of the file, with a correct
 * gzip or ZIP checksum. */
int stream_some(stream *s, void *to, size_t room, size_t *got);

/* Reads rows × columns elements, after which the file must end. The caller frees *elements in any
 * case. */
int stream_elements(stream *s, size_t rows, size_t columns, size_t element_bytes, void **elements);

/* Refuses data after the rows × columns elements that were read. */
int stream_demand_end(stream *s, size_t rows, size_t columns);

#endif
