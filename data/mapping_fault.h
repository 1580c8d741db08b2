/* SPDX-License-Identifier: MIT
 *
 * Handles pages of a mapped file that cannot be read any more, because the file was truncated or
 * its disk failed. The kernel then sends SIGBUS; the handler prints one line that names the file
 * and ends the program. */
#ifndef DOWNHILL_DATA_MAPPING_FAULT_H
#define DOWNHILL_DATA_MAPPING_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Watches the `size` bytes at `start`, mapped from a file: an access, in any thread, that cannot be
 * served from the file then prints a line and ends the program with EXIT_DATA. Faults elsewhere are
 * handled as before. Only one thread at a time may call this. Returns false if memory is short or
 * too many regions are watched. */
bool mapping_fault_watch(const char *path, const void *start, size_t size);

/* Stops watching all regions within these bytes. */
void mapping_fault_forget(const void *start, size_t size);

#endif
