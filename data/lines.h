/* SPDX-License-Identifier: MIT
 *
 * The lines of a text file, raw or gzip, one at a time. */
#ifndef DOWNHILL_DATA_LINES_H
#define DOWNHILL_DATA_LINES_H

#include "stream.h"

/* A longer one is no line of a data set, and must not fill the memory. */
enum { LINE_MAX_BYTES = 1 << 26 };

typedef struct lines {
    stream stream;
    size_t number; /* of the line at hand, from 1 */
    char *
        line; /* ends in NUL instead of "\n" or "\r\n", and has no other NUL; NULL behind the last */
    char *buffer;
    size_t room, next, end; /* buffer[next … end-1] is still to be given */
    bool at_end;            /* and nothing behind it */
} lines;

/* Both return EXIT_OK, or print a line that names file, place and reason and return EXIT_DATA or EXIT_INTERNAL. The
 * last line need not end in a newline. */
int lines_open(const char *path, lines *l);
int lines_next(lines *l);
void lines_close(lines *l);

#endif
