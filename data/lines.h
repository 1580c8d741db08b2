/* SPDX-License-Identifier: MIT
 *
 * Reads the lines of a text file, raw or gzip, one at a time. */
#ifndef DOWNHILL_DATA_LINES_H
#define DOWNHILL_DATA_LINES_H

#include "stream.h"

/* Maximum length of a line. A longer one is not part of a data set and must not fill the memory. */
enum { LINE_MAX_BYTES = 1 << 26 };

typedef struct lines {
    stream stream;
    size_t number; /* number of the current line, from 1 */
    /* current line, NUL-terminated, without its "\n" or "\r\n" and without any other NUL; NULL
     * after the last line */
    char *line;
    char *buffer;
    size_t room, next, end; /* buffer[next … end-1] is not yet returned */
    bool at_end;            /* the file has no more bytes */
} lines;

/* lines_next() reads the next line into l->line; the last one need not end in a newline. Both
 * functions return EXIT_OK, or print a line that names file, place and reason and return EXIT_DATA
 * or EXIT_INTERNAL. */
int lines_open(const char *path, lines *l);
int lines_next(lines *l);
void lines_close(lines *l);

#endif
