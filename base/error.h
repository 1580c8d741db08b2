/* SPDX-License-Identifier: MIT
 *
 * Exit codes and the one-line messages that go with them. */
#ifndef DOWNHILL_BASE_ERROR_H
#define DOWNHILL_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_CHECK = 1,       /* a check failed, a regression was found, or training failed */
    EXIT_USAGE = 2,       /* bad command line, or nothing matched */
    EXIT_DATA = 3,        /* bad input data */
    EXIT_ISA = 4,         /* the ISA asked for is not usable here */
    EXIT_ENVIRONMENT = 5, /* environment refused, or a time cap hit */
    EXIT_INTERNAL = 70,   /* out of memory, or a result that cannot be written */
};

/* Prints "downhill: MESSAGE" and a newline to stderr. */
__attribute__((format(printf, 1, 2))) void error_line(const char *format, ...);

/* The same, "downhill: warning: MESSAGE". */
__attribute__((format(printf, 1, 2))) void warning_line(const char *format, ...);

/* The same, "downhill: note: MESSAGE": for what is neither wrong nor doubtful. */
__attribute__((format(printf, 1, 2))) void note_line(const char *format, ...);

/* Composes the line that error_line() prints, newline included, for a signal handler to write. */
__attribute__((format(printf, 3, 4))) void error_compose(char *line, size_t room,
                                                         const char *format, ...);

/* Writes out what was printed so far. The reason why that failed first is kept, which fflush() at the end, with nothing
 * left to write, no longer knows: 0, or an errno. */
int flush_stdout(void);

/* Tells which of several processes this is. All but rank 0 print no warnings and notes, and errors only if they are `own`, that the
 * others need not have, and with the number of the rank. */
void error_as_rank(size_t rank, bool own);

#endif
