/* SPDX-License-Identifier: MIT
 *
 * Progress of a long command, with the remaining time: one line on stderr that is overwritten
 * or, if stderr is not a terminal, a new line at intervals. */
#ifndef DOWNHILL_BASE_PROGRESS_H
#define DOWNHILL_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress {
    bool on, terminal;
    const char *command;
    double start_s, last_s;
    double done_before; /* share of the work that was done before start_s */
} progress;

/* Starts the clock. If `on` is false, nothing is ever shown. */
progress progress_open(const char *command, bool on);

/* Shows "i/n NAME" and, from the `share` of all work that is done, the remaining time; unless the
 * last line is less than 0.1 s old, or 10 s if stderr is not a terminal. */
void progress_show(progress *p, size_t i, size_t n, double share, const char *name);

/* Erases the line. */
void progress_close(progress *p);

/* Formats a line, such as "train 3/40 loss 1.25, 20 s left". Public for its tests. */
void progress_text(const progress *p, double elapsed_s, size_t i, size_t n, double share,
                   const char *name, char *text, size_t size);

#endif
