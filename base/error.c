/* SPDX-License-Identifier: MIT */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static void print_line(const char *prefix, const char *format, va_list arguments)
{
    fflush(stdout); /* so that the two streams read in order on a terminal */
    fputs(prefix, stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
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
