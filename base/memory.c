/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "memory.h"

#include "limits.h"
#include "system_files.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

void *memory_new(size_t count, size_t size)
{
    if (size != 0 && count > (PTRDIFF_MAX - HUGE_PAGE) / size)
        return NULL;
    size_t bytes = count * size;
    const size_t unit = bytes >= (size_t)HUGE_PAGE / 2 ? HUGE_PAGE : LINE;
    bytes = (bytes + unit - 1) / unit * unit;
    void *p = aligned_alloc(unit, bytes == 0 ? unit : bytes);
    if (p == NULL)
        return NULL;
    if (unit == HUGE_PAGE)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* optional; saves TLB misses */
    memset(p, 0, bytes);
    return p;
}

size_t memory_available(const char *root)
{
    double available, limit;
    const char *why;
    if (!sysfile_number(root, "/proc/meminfo", "MemAvailable", &available))
        return SIZE_MAX;
    available *= 1024.0;
    if (limits_memory(root, &limit, &why) && limit < available)
        available = limit;
    return (size_t)available;
}
