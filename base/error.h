/* SPDX-License-Identifier: MIT
 *
 * Exit codes, and one-line messages on stderr. */
#ifndef DOWNHILL_BASE_ERROR_H
#define DOWNHILL_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_CHECK = 1,       /* a check failed, a regression was found, or training failed */
    EXIT_USAGE = 2,       /* bad command line, or nothing matched */
    EXIT_DATA = 3,        /* bad input data */
    EXIT_ISA = 4,         /* the requested ISA level is not usable here */
    EXIT_ENVIRONMENT = 5, /* unsuitable environment, or a time limit hit */
    EXIT_INTERNAL = 70,   /* out of memory, or a result cannot be written */
};

/* Prints "downhill: MESSAGE" and a newline to stderr. Control characters become '?'. */
__attribute__((format(printf, 1, 2))) void error_line(const char *format, ...);

/* Prints "downhill: warning: MESSAGE" in the same way. */
__attribute__((format(printf, 1, 2))) void warning_line(const char *format, ...);

/* Prints "downhill: note: MESSAGE" in the same way: information, not a problem. */
__attribute__((format(printf, 1, 2))) void note_line(const char *format, ...);

/* Formats the line that error_line() prints, newline included, for a signal handler to write. */
__attribute__((format(printf, 3, 4))) void error_compose(char *line, size_t room,
                                                         const char *format, ...);

/* Flushes stdout. Returns 0, or the errno value of the first failure in any call: a later fflush()
 * with an empty buffer would report success. */
int flush_stdout(void);

/* Returns what to do about a write that failed with this errno value, to end a message with. */
const char *write_remedy(int reason);

/* Sets the rank of this process. Ranks other than 0 print no warnings and notes. They print errors
 * only while `own` is true, with the rank: errors that other ranks need not have. */
void error_as_rank(size_t rank, bool own);

#endif
