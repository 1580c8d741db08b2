/* SPDX-License-Identifier: MIT
 *
 * A library for LD_PRELOAD that makes pinning a thread to a CPU fail, as some sandboxes do. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

__attribute__((visibility("default"))) int sched_setaffinity(pid_t pid, size_t size,
                                                             const cpu_set_t *set)
{
    (void)pid, (void)size, (void)set;
    errno = EPERM;
    return -1;
}
