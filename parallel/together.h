/* SPDX-License-Identifier: MIT
 *
 * The same work on several threads at the same time, for what is measured of all of them at once. */
#ifndef DOWNHILL_PARALLEL_TOGETHER_H
#define DOWNHILL_PARALLEL_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether a parallel region of `threads` threads, at most MACHINE_TEAM_MAX, gets all of
 * them; otherwise `why` names the cause and the remedy. OpenMP runs a smaller team without a word,
 * and ends the process where the system refuses a thread: call this before the first region. */
bool together_granted(size_t threads, char *why, size_t why_size);

/* Returns `threads` if that many are granted, else the largest smaller power of two that is; `why` is then as of
 * together_granted(). */
size_t together_most_granted(size_t threads, char *why, size_t why_size);

/* The work of thread `i`. */
typedef void (*together_work)(void *context, size_t i);

/* Binds the threads of the following runs of as many, thread i to CPU cpus[i] (machine.h; -1: not
 * bound), as far as binding works; the calling one is thread 0. Does nothing for a single thread.
 * Returns how many could not be bound. */
size_t together_bind(size_t threads, const int *cpus);

/* Runs work(context, i) for each i below `threads` at once, the calling thread doing that of 0. Returns
 * the seconds that it took altogether. A build without OpenMP does them one after another: ask
 * team_supported() (team.h) first. */
double together_run(size_t threads, together_work work, void *context);

#endif
