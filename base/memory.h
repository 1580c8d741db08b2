/* SPDX-License-Identifier: MIT
 *
 * Large buffers. */
#ifndef DOWNHILL_BASE_MEMORY_H
#define DOWNHILL_BASE_MEMORY_H

#include <stddef.h>

/* `count` elements of `size` bytes, zeroed and so already backed by pages, on a 64-byte boundary
 * (2 MiB and with a request for huge pages where it is large). NULL where memory is short or the
 * product overflows. Freed with free(). */
void *memory_new(size_t count, size_t size);

/* Bytes that this process may still have, with what the kernel would give up of its caches: what is available, or the
 * limit of its control groups if that is less. `root` as in system_files.h. SIZE_MAX: not known. */
size_t memory_available(const char *root);

#endif
