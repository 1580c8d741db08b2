/* SPDX-License-Identifier: MIT
 *
 * Limits that control groups set: the smallest of the group of this process and those around it. */
#ifndef DOWNHILL_BASE_LIMITS_H
#define DOWNHILL_BASE_LIMITS_H

#include <stdbool.h>

/* Reads the quota of CPU time, in CPUs; INFINITY: none. `root` as in system_files.h. false: unknown, and
 * *why says why. */
bool limits_cpus(const char *root, double *cpus, const char **why);

/* Reads the limit of memory, in bytes; INFINITY: none. */
bool limits_memory(const char *root, double *bytes, const char **why);

#endif
