/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    fflush(stdout); /* so that the two streams read in order on a terminal */
    fprintf(stderr, "%s%s\n", prefix, line);
}

void error_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("downhill: ", format, arguments);
    va_end(arguments);
}

void warning_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("downhill: warning: ", format, arguments);
    va_end(arguments);
}
