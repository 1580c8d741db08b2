/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "idx.h"

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { TYPE_UNSIGNED_BYTE = 0x08, DIMENSIONS_MAX = 4, FIRST_CHUNK = 1 << 20 };

static int bad(const char *path, const char *reason, const char *remedy)
{
    error_line("%s: %s; %s", path, reason, remedy);
    return EXIT_DATA;
}

static int bad_stream(gzFile file, const char *path)
{
    int code;
    const char *reason = gzerror(file, &code), *remedy = "fetch the file anew";
    if (code == Z_ERRNO) {
        reason = strerror(errno);
        remedy = errno == EISDIR ? "name a file" : "check the file";
    }
    const size_t length = strlen(path); /* zlib says "PATH: reason" */
    if (strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
        reason += length + 2;
    error_line("%s: byte %lld: %s; %s", path, (long long)gztell(file), reason, remedy);
    return EXIT_DATA;
}

/* Reads exactly `count` bytes. */
static int read_bytes(gzFile file, const char *path, void *to, size_t count)
{
    const int got = gzread(file, to, (unsigned)count); /* at most 2³⁰: see read_elements */
    if (got < 0)
        return bad_stream(file, path);
    if ((size_t)got < count) {
        int code;
        gzerror(file, &code);
        if (code != Z_OK && code != Z_STREAM_END)
            return bad_stream(file, path);
        error_line("%s: truncated at byte %lld: %zu more were due; fetch the file anew", path,
                   (long long)gztell(file), count - (size_t)got);
        return EXIT_DATA;
    }
    return EXIT_OK;
}

static int read_header(gzFile file, const char *path, unsigned dimensions_min,
                       unsigned dimensions_max, array *a)
{
    uint8_t magic[4];
    int code = read_bytes(file, path, magic, sizeof magic);
    if (code != EXIT_OK)
        return code;
    if (magic[0] != 0 || magic[1] != 0) {
        error_line("%s: byte 0: magic number %02x%02x%02x%02x is not that of an IDX file; "
                   "name an IDX file, raw or gzip",
                   path, magic[0], magic[1], magic[2], magic[3]);
        return EXIT_DATA;
    }
    if (magic[2] != TYPE_UNSIGNED_BYTE) {
        error_line("%s: byte 2: element type 0x%02x; only unsigned bytes (0x08) can be read", path,
                   magic[2]);
        return EXIT_DATA;
    }
    if (magic[3] < dimensions_min || magic[3] > dimensions_max) {
        error_line(
            "%s: byte 3: %u dimensions where %u to %u are due; are images and labels swapped?",
            path, magic[3], dimensions_min, dimensions_max);
        return EXIT_DATA;
    }
    a->columns = 1;
    for (unsigned i = 0; i < magic[3]; i++) {
        uint8_t s[4];
        if ((code = read_bytes(file, path, s, sizeof s)) != EXIT_OK)
            return code;
        const size_t size =
            (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | (size_t)s[3];
        if (size == 0) {
            error_line("%s: byte %u: dimension %u is 0; the file is empty", path, 4 + 4 * i, i);
            return EXIT_DATA;
        }
        if (i == 0)
            a->rows = size;
        else if (a->columns > SIZE_MAX / size)
            return bad(path, "byte 4: the dimensions overflow", "the header is damaged");
        else
            a->columns *= size;
    }
    if (a->columns > PTRDIFF_MAX / a->rows)
        return bad(path, "byte 4: the dimensions overflow", "the header is damaged");
    return EXIT_OK;
}

/* The elements, in buffers that double: a false header costs no more than the file is long. */
static int read_elements(gzFile file, const char *path, array *a)
{
    const size_t total = a->rows * a->columns;
    size_t have = 0, room = 0;
    while (have < total) {
        const size_t chunk_max = (size_t)1 << 30;
        size_t next = room == 0 ? FIRST_CHUNK : room * 2;
        next = next - room > chunk_max ? room + chunk_max : next;
        next = next > total ? total : next;
        uint8_t *grown = realloc(a->elements, next);
        if (grown == NULL) {
            error_line("%s: out of memory for %zu bytes", path, next);
            return EXIT_INTERNAL;
        }
        a->elements = grown;
        room = next;
        const int code = read_bytes(file, path, grown + have, room - have);
        if (code != EXIT_OK)
            return code;
        have = room;
    }
    uint8_t extra;
    const int more = gzread(file, &extra, 1);
    int ended; /* a stream cut in its checksum gives all its data and then an error */
    gzerror(file, &ended);
    if (more < 0 || (more == 0 && ended != Z_OK && ended != Z_STREAM_END))
        return bad_stream(file, path);
    if (more > 0) {
        error_line("%s: byte %lld: data after the %zu x %zu elements of the header; "
                   "the header is damaged or the file is of another kind",
                   path, (long long)gztell(file) - 1, a->rows, a->columns);
        return EXIT_DATA;
    }
    return EXIT_OK;
}

static bool ends_in(const char *text, const char *end)
{
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static int open_file(const char *path, gzFile *file)
{
    *file = gzopen(path, "rb");
    if (*file != NULL)
        return EXIT_OK;
    error_line("%s: cannot open: %s; check the path", path, strerror(errno));
    return EXIT_DATA;
}

int idx_read(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a)
{
    gzFile file;
    *a = (array){0};
    int code = open_file(path, &file);
    if (code != EXIT_OK)
        return code;
    if (ends_in(path, ".gz") && gzdirect(file))
        code = bad(path, "byte 0: not gzip data", "fetch the file anew, or drop .gz from its name");
    if (code == EXIT_OK)
        code = read_header(file, path, dimensions_min, dimensions_max, a);
    if (code == EXIT_OK)
        code = read_elements(file, path, a);
    gzclose_r(file);
    if (code != EXIT_OK)
        array_free(a);
    return code;
}

int idx_map(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a)
{
    gzFile file;
    *a = (array){0};
    int code = open_file(path, &file);
    if (code != EXIT_OK)
        return code;
    if (!gzdirect(file))
        code = bad(path, "compressed data cannot be mapped", "unpack it, or leave --mmap out");
    if (code == EXIT_OK)
        code = read_header(file, path, dimensions_min, dimensions_max, a);
    const size_t header = code == EXIT_OK ? (size_t)gztell(file) : 0;
    gzclose_r(file);
    mapped_records all;
    if (code == EXIT_OK)
        code = mapping_open(&path, 1, 1, &a->map, &all);
    if (code == EXIT_OK && a->map.size != header + a->rows * a->columns) {
        error_line("%s: %zu bytes, but the header promises %zu + %zu x %zu; fetch the file anew",
                   path, a->map.size, header, a->rows, a->columns);
        code = EXIT_DATA;
    }
    if (code != EXIT_OK)
        array_free(a);
    else
        a->elements = a->map.bytes + header;
    return code;
}
