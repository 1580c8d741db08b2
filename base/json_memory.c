/* SPDX-License-Identifier: MIT */
#include "json_memory.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool failed;

static void *allocate(size_t size)
{
    void *p = malloc(size);
    if (p == NULL && size != 0)
        failed = true;
    return p;
}

void json_memory_watch(void)
{
    json_set_alloc_funcs(allocate, free);
}

bool json_memory_failed(void)
{
    return failed;
}
