/* SPDX-License-Identifier: MIT
 *
 * Pages of a mapped file that cannot be read any more: the file was cut short, or its disk failed. The kernel tells it with
 * SIGBUS, which ends the program here with one line that names the file. */
#ifndef DOWNHILL_DATA_MAPPING_FAULT_H
#define DOWNHILL_DATA_MAPPING_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* From here on an access to the `size` bytes at `start` that the kernel cannot serve from the file prints a line and ends
 * the program with EXIT_DATA, whichever thread it is. Faults elsewhere do what they did before. Not for several threads
 * at once. false: out of memory, or of places. */
bool mapping_fault_watch(const char *path, const void *start, size_t size);

/* Forgets what was watched within these bytes. */
void mapping_fault_forget(const void *start, size_t size);

#endif
