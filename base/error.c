/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t rank; /* of this process */
static bool own_errors = true;

void error_as_rank(size_t of_process, bool own)
{
    rank = of_process;
    own_errors = own;
}

int flush_stdout(void)
{
    static int reason;
    const bool flushed = fflush(stdout) == 0;
    if (reason == 0 && (!flushed || ferror(stdout)))
        reason = flushed ? EIO : errno;
    return reason;
}

/* One line whatever the user's words hold: a newline or an escape sequence in them must not pass
 * for a message of ours, nor drive the terminal. Longer lines than the buffer are cut. */
static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char line[4096];
    if (vsnprintf(line, sizeof line, format, arguments) < 0)
        strcpy(line, format);
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    (void)flush_stdout(); /* so that the two streams read in order on a terminal */
    fprintf(stderr, "%s%s\n", prefix, line);
}

void error_line(const char *format, ...)
{
    char prefix[48] = "downhill: ";
    if (rank > 0 && !own_errors)
        return;
    if (rank > 0)
        snprintf(prefix, sizeof prefix, "downhill: rank %zu: ", rank);
    va_list arguments;
    va_start(arguments, format);
    print_line(prefix, format, arguments);
    va_end(arguments);
}

void warning_line(const char *format, ...)
{
    if (rank > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("downhill: warning: ", format, arguments);
    va_end(arguments);
}

void note_line(const char *format, ...)
{
    if (rank > 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line("downhill: note: ", format, arguments);
    va_end(arguments);
}
