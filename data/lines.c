/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 18 };

int lines_open(const char *path, lines *l)
{
    *l = (lines){.room = FIRST_ROOM};
    const int code = stream_open(path, &l->stream);
    if (code != EXIT_OK)
        return code;
    if ((l->buffer = malloc(l->room)) != NULL)
        return EXIT_OK;
    error_line("%s: out of memory", path);
    lines_close(l);
    return EXIT_INTERNAL;
}

void lines_close(lines *l)
{
    stream_close(&l->stream);
    free(l->buffer);
    *l = (lines){0};
}

/* Moves the unread bytes to the front of the buffer and reads more after them, leaving a byte for a
 * NUL. */
static int fill(lines *l)
{
    memmove(l->buffer, l->buffer + l->next, l->end - l->next);
    l->end -= l->next;
    l->next = 0;
    if (l->end == l->room - 1) {
        char *grown = l->room < LINE_MAX_BYTES ? realloc(l->buffer, l->room * 2) : NULL;
        if (grown == NULL) {
            const char *path = l->stream.path;
            if (l->room < LINE_MAX_BYTES) {
                error_line("%s: out of memory for %zu bytes", path, l->room * 2);
                return EXIT_INTERNAL;
            }
            error_line("%s:%zu:1: a line of more than %d bytes; is this a text file?", path,
                       l->number, LINE_MAX_BYTES);
            return EXIT_DATA;
        }
        l->buffer = grown;
        l->room *= 2;
    }
    size_t got;
    const int code = stream_some(&l->stream, l->buffer + l->end, l->room - 1 - l->end, &got);
    l->end += got;
    l->at_end = got == 0;
    return code;
}

int lines_next(lines *l)
{
    size_t length = 0; /* bytes known to contain no newline */
    char *newline = NULL;
    l->number++;
    l->line = NULL;
    for (;;) {
        const size_t have = l->end - l->next;
        newline = memchr(l->buffer + l->next + length, '\n', have - length);
        if (newline != NULL || l->at_end)
            break;
        length = have;
        const int code = fill(l);
        if (code != EXIT_OK)
            return code;
    }
    if (newline == NULL && l->end == l->next)
        return EXIT_OK;
    l->line = l->buffer + l->next;
    length = newline != NULL ? (size_t)(newline - l->line) : l->end - l->next;
    l->next += length + (newline != NULL);
    l->line[length] = '\0';
    const char *nul = memchr(l->line, '\0', length);
    if (nul != NULL) {
        error_line("%s:%zu:%zu: a NUL byte; is this a text file?", l->stream.path, l->number,
                   (size_t)(nul - l->line) + 1);
        return EXIT_DATA;
    }
    if (length > 0 && l->line[length - 1] == '\r')
        l->line[length - 1] = '\0';
    return EXIT_OK;
}
