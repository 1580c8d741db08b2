/* SPDX-License-Identifier: MIT
 *
 * Allocation of large buffers, and the memory available. */
#ifndef DOWNHILL_BASE_MEMORY_H
#define DOWNHILL_BASE_MEMORY_H

#include <stddef.h>

/* Allocates `count` elements of `size` bytes on a 64-byte boundary; from 1 MiB on a 2 MiB boundary,
 * with a request for huge pages. Zeroes them, so that every page is mapped. Returns NULL if memory
 * is short or the product overflows. To be freed with free(). */
void *memory_new(size_t count, size_t size);

/* Returns the bytes that this process can still allocate, including caches that the kernel would
 * reclaim: MemAvailable, or the limit of its control groups if that is less. `root` as in
 * system_files.h. SIZE_MAX: unknown. */
size_t memory_available(const char *root);

#endif
