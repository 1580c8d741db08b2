/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "progress.h"

#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

progress progress_open(const char *command, bool on)
{
    const bool terminal = isatty(STDERR_FILENO) == 1;
    const double now = clock_seconds();
    /* If stderr is not a terminal, the first line is due after 10 s: short runs print none. */
    return (progress){.on = on,
                      .terminal = terminal,
                      .command = command,
                      .start_s = now,
                      .last_s = terminal ? 0.0 : now};
}

void progress_text(const progress *p, double elapsed_s, size_t i, size_t n, double share,
                   const char *name, char *text, size_t size)
{
    char left[48] = "";
    const double here = share - p->done_before;
    /* With less progress an estimate would be meaningless. */
    if (here > 0.02 && elapsed_s > 0.5) {
        const double left_s = elapsed_s * (1.0 - share) / here;
        if (left_s >= 90.0)
            snprintf(left, sizeof left, ", %.0f min left", left_s / 60.0);
        else
            snprintf(left, sizeof left, ", %.0f s left", left_s);
    }
    snprintf(text, size, "%s %zu/%zu %s%s", p->command, i, n, name, left);
}

/* Returns the width of the terminal. A line that wraps could not be overwritten. */
static size_t columns(void)
{
    struct winsize window;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 ? window.ws_col : 80;
}

void progress_show(progress *p, size_t i, size_t n, double share, const char *name)
{
    const double now = clock_seconds();
    if (!p->on || now - p->last_s < (p->terminal ? 0.1 : 10.0))
        return;
    p->last_s = now;
    char text[256];
    progress_text(p, now - p->start_s, i, n, share, name, text, sizeof text);
    if (p->terminal)
        fprintf(stderr, "\r\033[K%.*s", (int)(columns() - 1), text);
    else
        fprintf(stderr, "%s\n", text);
    fflush(stderr);
}

void progress_close(progress *p)
{
    if (p->on && p->terminal)
        fputs("\r\033[K", stderr);
}
