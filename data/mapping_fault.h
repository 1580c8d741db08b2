/* SPDX-License-Identifier: MIT
 *
 * Pages of a mapped file that cannot be read any more: the file was cut short, or its disk failed. The kernel tells it with
 * SIGBUS, which ends the program here with one line that names the file. */
#ifndef DOWNHILL_DATA_MAPPING_FAULT_H
#define DOWNHILL_DATA_MAPPING_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Watches the `size` bytes at `start`, mapped from a file: an access that the kernel cannot serve from it then prints a line
 * and ends the program with EXIT_DATA, in any thread. Faults elsewhere do what they did before. To be called by one thread
 * at a time. Returns false if memory is short or too many regions are watched. */
bool mapping_fault_watch(const char *path, const void *start, size_t size);

/* Ends the watch of all regions within these bytes. */
void mapping_fault_forget(const void *start, size_t size);

#endif
