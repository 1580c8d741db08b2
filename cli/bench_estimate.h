/* SPDX-License-Identifier: MIT
 *
 * How long a benchmark will take, said before it begins. */
#ifndef DOWNHILL_CLI_BENCH_ESTIMATE_H
#define DOWNHILL_CLI_BENCH_ESTIMATE_H

#include "bench_session.h"

/* Prints how long the rows that are left will take. Before a run (and not with --list), warns
 * that a long one without --json loses its samples, and refuses one that a plain number, as in
 * --min-time 20, makes long, and any that takes more than a day. Returns an exit code. */
int bench_estimate_say(const bench_session *s);

#endif
