/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "stream.h"

#include "base/error.h"
#include "npz.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { FIRST_CHUNK = 1 << 20, CHUNK_MAX = 1 << 30, ZLIB_BUFFER = 1 << 17 };

static int bad_entry(const stream *s)
{
    error_line("%s: byte %zu: %s; download the file again", s->path, s->position,
               zip_file_strerror(s->entry));
    return EXIT_DATA;
}

static int bad_stream(const stream *s)
{
    int code;
    const char *reason = gzerror(s->file, &code), *remedy = "download the file again";
    if (code == Z_ERRNO) {
        reason = strerror(errno);
        remedy = errno == EISDIR ? "name a file" : "check the file";
    }
    const size_t length = strlen(s->path); /* zlib says "PATH: reason" */
    if (strncmp(reason, s->path, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
        reason += length + 2;
    const size_t position = stream_position(s);
    if (code == Z_ERRNO && position == 0)
        error_line("%s: %s; %s", s->path, reason, remedy);
    else
        error_line("%s: byte %zu: %s; %s", s->path, position, reason, remedy);
    return EXIT_DATA;
}

static int refuse_empty(const stream *s)
{
    error_line("%s: is empty; name another file", s->path);
    return EXIT_DATA;
}

int stream_open(const char *path, stream *s)
{
    *s = (stream){.path = path, .file = gzopen(path, "rb")};
    if (s->file == NULL) {
        error_line("%s: cannot open: %s; check the path", path, strerror(errno));
        return EXIT_DATA;
    }
    gzbuffer(s->file, ZLIB_BUFFER);
    const size_t length = strlen(path);
    if (length >= 3 && strcmp(path + length - 3, ".gz") == 0 && gzdirect(s->file)) {
        if (gzgetc(s->file) < 0 && gzeof(s->file))
            (void)refuse_empty(s);
        else
            error_line("%s: not gzip data; download the file again, or drop .gz from its name",
                       path);
        stream_close(s);
        return EXIT_DATA;
    }
    return EXIT_OK;
}

int stream_open_entry(const char *archive, const char *name, stream *s)
{
    *s = (stream){0};
    if (asprintf(&s->own_path, "%s: %s", archive, name) < 0) {
        s->own_path = NULL;
        error_line("%s: out of memory", archive);
        return EXIT_INTERNAL;
    }
    s->path = s->own_path;
    int code = npz_open_archive(archive, NULL, &s->archive);
    if (code == EXIT_OK && (s->entry = zip_fopen(s->archive, name, 0)) == NULL) {
        error_line("%s: %s; the file is damaged", s->path, zip_strerror(s->archive));
        code = EXIT_DATA;
    }
    if (code != EXIT_OK)
        stream_close(s);
    return code;
}

void stream_close(stream *s)
{
    if (s->file != NULL)
        gzclose_r(s->file);
    if (s->entry != NULL)
        zip_fclose(s->entry);
    if (s->archive != NULL)
        zip_discard(s->archive);
    free(s->own_path);
    *s = (stream){0};
}

int stream_demand_raw(const stream *s)
{
    if (s->file == NULL) {
        error_line("%s: an archive cannot be mapped; leave --mmap out, or save the arrays with "
                   "numpy.save()",
                   s->path);
        return EXIT_DATA;
    }
    if (gzdirect(s->file))
        return EXIT_OK;
    error_line("%s: compressed data cannot be mapped; unpack it, or leave --mmap out", s->path);
    return EXIT_DATA;
}

size_t stream_position(const stream *s)
{
    if (s->file == NULL)
        return s->position;
    const z_off_t position = gztell(s->file);
    return position > 0 ? (size_t)position : 0;
}

/* Reads until `room` is full or the entry ends; libzip verifies the checksum at the end. */
static int some_of_entry(stream *s, void *to, size_t room, size_t *got)
{
    *got = 0;
    while (*got < room) {
        const zip_int64_t count = zip_fread(s->entry, (char *)to + *got, room - *got);
        if (count < 0)
            return bad_entry(s);
        if (count == 0)
            break;
        *got += (size_t)count;
        s->position += (size_t)count;
    }
    return EXIT_OK;
}

int stream_some(stream *s, void *to, size_t room, size_t *got)
{
    if (s->file == NULL)
        return some_of_entry(s, to, room, got);
    const int count = gzread(s->file, to, (unsigned)room);
    *got = count > 0 ? (size_t)count : 0;
    if (count < 0)
        return bad_stream(s);
    int ended; /* a stream cut in its checksum gives all its data and then an error */
    gzerror(s->file, &ended);
    return *got < room && ended != Z_OK && ended != Z_STREAM_END ? bad_stream(s) : EXIT_OK;
}

int stream_exactly(stream *s, void *to, size_t count)
{
    size_t got;
    const int code = stream_some(s, to, count, &got);
    if (code != EXIT_OK || got == count)
        return code;
    if (stream_position(s) == 0)
        return refuse_empty(s);
    error_line("%s: truncated at byte %zu: %zu more bytes expected; download the file again",
               s->path, stream_position(s), count - got);
    return EXIT_DATA;
}

int stream_demand_end(stream *s, size_t rows, size_t columns)
{
    uint8_t extra;
    size_t more;
    const int code = stream_some(s, &extra, 1, &more);
    if (code != EXIT_OK || more == 0)
        return code;
    error_line("%s: byte %zu: data after the %zu x %zu elements of the header; the header is "
               "damaged or the file is of another kind",
               s->path, stream_position(s) - 1, rows, columns);
    return EXIT_DATA;
}

int stream_elements(stream *s, size_t rows, size_t columns, size_t element_bytes, void **elements)
{
    *elements = NULL;
    if (columns == 0 || rows > PTRDIFF_MAX / columns ||
        rows * columns > PTRDIFF_MAX / element_bytes) {
        error_line("%s: %zu x %zu elements overflow; the header is damaged", s->path, rows,
                   columns);
        return EXIT_DATA;
    }
    const size_t total = rows * columns * element_bytes;
    size_t have = 0;
    while (have < total) { /* the buffer doubles */
        size_t chunk = have == 0 ? FIRST_CHUNK : have < CHUNK_MAX ? have : CHUNK_MAX;
        chunk = chunk < total - have ? chunk : total - have;
        uint8_t *grown = realloc(*elements, have + chunk);
        if (grown == NULL) {
            error_line("%s: out of memory for %zu bytes", s->path, have + chunk);
            return EXIT_INTERNAL;
        }
        *elements = grown;
        const int code = stream_exactly(s, grown + have, chunk);
        if (code != EXIT_OK)
            return code;
        have += chunk;
    }
    return stream_demand_end(s, rows, columns);
}
