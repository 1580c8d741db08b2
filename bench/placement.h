/* SPDX-License-Identifier: MIT
 *
 * Buffers at random addresses. Where buffers lie relative to each other decides which of them
 * collide in a cache or delay each other's loads, so the time of a kernel depends on it. Buffers
 * that are placed anew for each pass make that part of the spread visible. */
#ifndef DOWNHILL_BENCH_PLACEMENT_H
#define DOWNHILL_BENCH_PLACEMENT_H

#include "base/rng.h"

#include <stddef.h>

/* Allocates like memory_new(), and moves the start by a random multiple of 64 bytes: up to a page,
 * or up to the size of a buffer that is smaller. Returns NULL if memory is short. */
void *placement_new(rng *r, size_t count, size_t size);

/* Frees a buffer of placement_new(); NULL is ignored. */
void placement_free(void *buffer);

#endif
