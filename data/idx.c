/* SPDX-License-Identifier: MIT */
#include "idx.h"

#include "base/error.h"
#include "stream.h"

#include <stdint.h>
#include <string.h>

enum { TYPE_UNSIGNED_BYTE = 0x08 };

static int bad(const char *path, const char *reason, const char *remedy)
{
    error_line("%s: %s; %s", path, reason, remedy);
    return EXIT_DATA;
}

static int read_header(stream *file, unsigned dimensions_min, unsigned dimensions_max, array *a)
{
    const char *path = file->path;
    uint8_t magic[4];
    int code = stream_exactly(file, magic, sizeof magic);
    if (code != EXIT_OK)
        return code;
    if (magic[0] != 0 || magic[1] != 0) {
        if (memcmp(magic, "\x93NUM", sizeof magic) == 0)
            return bad(path, "a NumPy array", "give npy:X.npy,Y.npy");
        if (memcmp(magic, "PK\3\4", sizeof magic) == 0)
            return bad(path, "a ZIP archive", "if it is of NumPy, give npz:FILE");
        return bad(path, "not an IDX file, which begins with two bytes that are 0",
                   "name an IDX file, raw or gzip");
    }
    if (magic[2] != TYPE_UNSIGNED_BYTE) {
        error_line("%s: byte 2: element type 0x%02x; only unsigned bytes (0x08) can be read; "
                   "save other types with NumPy, and give npy:X.npy,Y.npy",
                   path, magic[2]);
        return EXIT_DATA;
    }
    if (magic[3] < dimensions_min || magic[3] > dimensions_max) {
        error_line("%s: byte 3: %u dimensions instead of %u to %u; are images and labels swapped?",
                   path, magic[3], dimensions_min, dimensions_max);
        return EXIT_DATA;
    }
    a->columns = 1;
    for (unsigned i = 0; i < magic[3]; i++) {
        uint8_t s[4];
        if ((code = stream_exactly(file, s, sizeof s)) != EXIT_OK)
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

int idx_read(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a)
{
    stream file;
    *a = (array){0};
    int code = stream_open(path, &file);
    if (code != EXIT_OK)
        return code;
    code = read_header(&file, dimensions_min, dimensions_max, a);
    if (code == EXIT_OK)
        code = stream_elements(&file, a->rows, a->columns, 1, &a->elements);
    stream_close(&file);
    if (code != EXIT_OK)
        array_free(a);
    return code;
}

int idx_map(const char *path, unsigned dimensions_min, unsigned dimensions_max, array *a)
{
    stream file;
    *a = (array){0};
    int code = stream_open(path, &file);
    if (code != EXIT_OK)
        return code;
    code = stream_demand_raw(&file);
    if (code == EXIT_OK)
        code = read_header(&file, dimensions_min, dimensions_max, a);
    const size_t header = code == EXIT_OK ? stream_position(&file) : 0;
    stream_close(&file);
    if (code == EXIT_OK)
        code = array_map(path, header, a);
    if (code != EXIT_OK)
        array_free(a);
    return code;
}
