/* SPDX-License-Identifier: MIT
 *
 * Limits of CPU time and memory: the minimum over this process's control group and its
 * ancestors. */
#ifndef DOWNHILL_BASE_LIMITS_H
#define DOWNHILL_BASE_LIMITS_H

#include <stdbool.h>

/* Reads the quota of CPU time, in CPUs; INFINITY: none. `root` as in system_files.h. If the
 * quota is unknown, returns false and sets *why. */
bool limits_cpus(const char *root, double *cpus, const char **why);

/* Reads the memory limit in bytes, in the same way. */
bool limits_memory(const char *root, double *bytes, const char **why);

#endif
