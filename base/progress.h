/* SPDX-License-Identifier: MIT
 *
 * How far a long command is: one line on stderr that is written anew, with what is left; where stderr is
 * no terminal, a line now and then. */
#ifndef DOWNHILL_BASE_PROGRESS_H
#define DOWNHILL_BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress {
    bool on, terminal;
    const char *command;
    double start_s, last_s;
    double done_before; /* share of the work that an earlier part of the run did */
} progress;

/* With `on` false nothing is ever shown. */
progress progress_open(const char *command, bool on);

/* At item `i`, from 1, of `n`, of that name; `share` of all the work is done. Shows it if the last time is
 * long enough ago: a tenth of a second on a terminal, else ten. */
void progress_show(progress *p, size_t i, size_t n, double share, const char *name);

/* Takes the line away. */
void progress_close(progress *p);

/* The text of a line, for its tests: "bench 3/40 score_f32/avx2, 1 min 20 s left". */
void progress_text(const progress *p, double elapsed_s, size_t i, size_t n, double share,
                   const char *name, char *text, size_t size);

#endif
