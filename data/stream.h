/* SPDX-License-Identifier: MIT
 *
 * A file, raw or gzip, or an entry of a ZIP archive, read once from its start to its end. Memory grows with what it holds, not with what its
 * header promises. */
#ifndef DOWNHILL_DATA_STREAM_H
#define DOWNHILL_DATA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

typedef struct stream {
    const char *path; /* for messages: of an entry "FILE: NAME" */
    gzFile file;      /* or NULL: */
    struct zip *archive;
    struct zip_file *entry;
    size_t position; /* in the entry */
    char *own_path;
} stream;

/* All of these return EXIT_OK, or print a line that names file, byte and reason and return EXIT_DATA or
 * EXIT_INTERNAL. A file whose name ends in .gz must be gzip. */
int stream_open(const char *path, stream *s);
int stream_open_entry(const char *archive, const char *name, stream *s);
void stream_close(stream *s);

/* Refuses what is compressed or in an archive, which cannot be mapped. */
int stream_demand_raw(const stream *s);

/* Of what is unpacked. */
size_t stream_position(const stream *s);

/* Exactly `count` bytes, at most 2³⁰. */
int stream_exactly(stream *s, void *to, size_t count);

/* At most `room` bytes, at most 2³⁰; none: the end, and the checksum of gzip is right. */
int stream_some(stream *s, void *to, size_t room, size_t *got);

/* rows × columns elements, to be freed whatever is returned; and then the file must end. */
int stream_elements(stream *s, size_t rows, size_t columns, size_t element_bytes, void **elements);

/* Refuses data after the rows × columns elements that were read. */
int stream_demand_end(stream *s, size_t rows, size_t columns);

#endif
