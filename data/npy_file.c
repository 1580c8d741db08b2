/* SPDX-License-Identifier: MIT */
#include "npy_file.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refused(const char *path, const char *reason)
{
    error_line("%s: %s; write it with numpy.save()", path, reason);
    return EXIT_DATA;
}

/* Reads the header and nothing after it. */
static int read_header(stream *s, npy_header *h)
{
    unsigned char prefix[NPY_PREFIX];
    int code = stream_exactly(s, prefix, sizeof prefix);
    if (code != EXIT_OK)
        return code;
    if (memcmp(prefix, "PK\x03\x04", 4) == 0) {
        error_line("%s: it is a ZIP archive, as NPZ files are; give npz:FILE", s->path);
        return EXIT_DATA;
    }
    const char *wrong = npy_parse(prefix, sizeof prefix, h);
    if (wrong != NULL)
        return refused(s->path, wrong);
    /* npy_parse() has limited the size. It is larger than the prefix: a shorter header would have
     * been complete, and was refused above. */
    const size_t size = h->size;
    unsigned char *header = malloc(size);
    if (header == NULL) {
        error_line("%s: out of memory for its header", s->path);
        return EXIT_INTERNAL;
    }
    memcpy(header, prefix, sizeof prefix);
    code = stream_exactly(s, header + sizeof prefix, size - sizeof prefix);
    if (code == EXIT_OK && (wrong = npy_parse(header, size, h)) != NULL)
        code = refused(s->path, wrong);
    free(header);
    return code;
}

static int demand_elements(const char *path, const npy_header *h)
{
    for (size_t i = 0; i < h->dimensions; i++)
        if (h->shape[i] == 0) {
            error_line("%s: dimension %zu of its shape is 0; the array is empty", path, i);
            return EXIT_DATA;
        }
    return h->dimensions > 0 ? EXIT_OK : refused(path, "a single number, not an array");
}

int npy_open(npy_place place, stream *s, npy_header *h)
{
    char name[256];
    int code;
    if (place.entry == NULL) {
        code = stream_open(place.path, s);
    } else if (snprintf(name, sizeof name, "%s.npy", place.entry) >= (int)sizeof name) {
        error_line("%s: the name %.60s... is too long", place.path, place.entry);
        return EXIT_DATA;
    } else {
        code = stream_open_entry(place.path, name, s);
    }
    if (code != EXIT_OK)
        return code;
    code = read_header(s, h);
    if (code == EXIT_OK)
        code = demand_elements(s->path, h);
    if (code != EXIT_OK)
        stream_close(s);
    return code;
}

static void append(char line[NPY_ADVICE], const char *text)
{
    const size_t used = strlen(line);
    snprintf(line + used, NPY_ADVICE - used, "%s", text);
}

/* Appends a text as a Python literal that error_line() does not change. */
static void append_literal(char line[NPY_ADVICE], const char *text)
{
    append(line, "'");
    for (; *text != '\0'; text++) {
        char c[8];
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            snprintf(c, sizeof c, "\\x%02x", *text);
        else
            snprintf(c, sizeof c, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
        append(line, c);
    }
    append(line, "'");
}

void npy_advice(npy_place place, const char *change, char line[NPY_ADVICE])
{
    npy_advice_around(place, "", change, line);
}

void npy_advice_around(npy_place place, const char *before, const char *after,
                       char line[NPY_ADVICE])
{
    line[0] = '\0';
    append(line, "np.save('new.npy', ");
    append(line, before);
    append(line, "np.load(");
    append_literal(line, place.path);
    append(line, ", allow_pickle=True)");
    if (place.entry != NULL) {
        append(line, "[");
        append_literal(line, place.entry);
        append(line, "]");
    }
    append(line, after);
    append(line, ")");
}
