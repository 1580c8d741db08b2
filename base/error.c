/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 4352 };

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

const char *write_remedy(int reason)
{
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        return "free some space or write to another place";
    case EFBIG:
        return "raise the limit of ulimit -f or write to another place";
    default:
        return "write to another place";
    }
}

/* Formats one line. User input in it may contain a newline or an escape sequence, which must not
 * fake a second message or control the terminal. A line longer than the buffer is cut. */
static void compose(char *line, size_t room, const char *prefix, const char *format,
                    va_list arguments)
{
    const size_t used = (size_t)snprintf(line, room - 1, "%s", prefix);
    if (vsnprintf(line + used, room - 1 - used, format, arguments) < 0)
        snprintf(line + used, room - 1 - used, "%s", format);
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    strcat(line, "\n");
}

static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char line[LINE];
    compose(line, sizeof line, prefix, format, arguments);
    (void)flush_stdout(); /* keeps the two streams in order on a terminal */
    fputs(line, stderr);
}

struct prefix {
    char text[48];
};

static struct prefix prefix_of_rank(void)
{
    struct prefix prefix = {"downhill: "};
    if (rank > 0)
        snprintf(prefix.text, sizeof prefix.text, "downhill: rank %zu: ", rank);
    return prefix;
}

void error_compose(char *line, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compose(line, room, prefix_of_rank().text, format, arguments);
    va_end(arguments);
}

void error_line(const char *format, ...)
{
    if (rank > 0 && !own_errors)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_line(prefix_of_rank().text, format, arguments);
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
