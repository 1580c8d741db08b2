/* SPDX-License-Identifier: MIT */
#include "placement.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, PAGE = 4096 };

void *placement_new(rng *r, size_t count, size_t size)
{
    if (size != 0 && count > (PTRDIFF_MAX - PAGE - LINE) / size)
        return NULL;
    const size_t bytes = count * size, range = bytes < PAGE ? bytes : PAGE;
    const size_t shift = LINE * (1 + rng_below(r, range / LINE + 1));
    char *const block = memory_new(bytes + range + LINE, 1);
    if (block == NULL)
        return NULL;
    char *const buffer = block + shift;
    /* The line before a buffer holds the start of its block. */
    memcpy(buffer - sizeof block, &block, sizeof block);
    return buffer;
}

void placement_free(void *buffer)
{
    if (buffer == NULL)
        return;
    void *block;
    memcpy(&block, (char *)buffer - sizeof block, sizeof block);
    free(block);
}
