/* SPDX-License-Identifier: MIT
 *
 * Estimates how long a benchmark will take, before it starts. */
#ifndef DOWNHILL_CLI_BENCH_ESTIMATE_H
#define DOWNHILL_CLI_BENCH_ESTIMATE_H

#include "bench_session.h"

/* Prints how long the remaining rows will take. Without --list, also warns that a long run without
 * --json loses its samples, and refuses a run that takes more than a day or is long because of a
 * time without a unit, as in --min-time 20. Returns an exit code. */
int bench_estimate_say(const bench_session *s);

#endif
