/* SPDX-License-Identifier: MIT
 *
 * Runs the same work on several threads at the same time. */
#ifndef DOWNHILL_PARALLEL_TOGETHER_H
#define DOWNHILL_PARALLEL_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether a parallel region of `threads` threads, at most MACHINE_TEAM_MAX, gets all of
 * them; otherwise `why` names the cause and the remedy. Call this before the first region: OpenMP
 * silently runs a smaller team, and ends the process if the system refuses a thread. */
bool together_granted(size_t threads, char *why, size_t why_size);

/* Returns `threads` if that many are granted, else the largest smaller power of two that is; `why`
 * is then set as by together_granted(). */
size_t together_most_granted(size_t threads, char *why, size_t why_size);

/* The work of thread i. */
typedef void (*together_work)(void *context, size_t i);

/* Binds the threads of later runs with the same number of threads, thread i to CPU cpus[i]
 * (machine.h; -1: not bound); the calling thread is thread 0. Does nothing for a single thread.
 * Returns how many could not be bound. */
size_t together_bind(size_t threads, const int *cpus);

/* Runs work(context, i) for each i below `threads` at once; the calling thread does i = 0. Returns
 * the elapsed seconds. A build without OpenMP runs them one after another: check team_supported()
 * (team.h) first. */
double together_run(size_t threads, together_work work, void *context);

#endif
