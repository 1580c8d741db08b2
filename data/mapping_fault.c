/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "mapping_fault.h"

#include "base/error.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REGIONS_MAX = 64, LINE = 4352 };

/* Lines are formatted in advance, since a signal handler must not. The handler ignores regions
 * whose start is 0. */
struct region {
    _Atomic uintptr_t start;
    size_t size;
    char *path, *cut, *unreadable; /* the path, and one line per cause */
};

static struct region regions[REGIONS_MAX];
static struct sigaction before;
static bool installed, terminal;
static atomic_flag ending = ATOMIC_FLAG_INIT;

static const struct region *find(uintptr_t address)
{
    for (size_t i = 0; i < REGIONS_MAX; i++) {
        const uintptr_t start = atomic_load_explicit(&regions[i].start, memory_order_acquire);
        if (start != 0 && address >= start && address - start < regions[i].size)
            return &regions[i];
    }
    return NULL;
}

static void say(const char *line)
{
    for (size_t remaining = strlen(line); remaining > 0;) {
        const ssize_t written = write(STDERR_FILENO, line, remaining);
        if (written <= 0)
            return;
        line += written;
        remaining -= (size_t)written;
    }
}

/* Handles SIGBUS. Calls only functions that POSIX allows in a signal handler. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    const struct region *r = info->si_code > 0 ? find((uintptr_t)info->si_addr) : NULL;
    (void)context;
    if (r == NULL) { /* not ours: restore the old handler and raise again */
        (void)sigaction(SIGBUS, &before, NULL);
        (void)raise(number);
        return;
    }
    while (atomic_flag_test_and_set(&ending)) /* another thread is about to end the program */
        (void)pause();
    if (terminal)
        say("\r\033[K"); /* clear the progress line */
    struct stat now;
    const bool cut = stat(r->path, &now) == 0 && (size_t)now.st_size < r->size;
    say(cut ? r->cut : r->unreadable);
    _exit(EXIT_DATA);
}

static bool install(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    if (installed)
        return true;
    sigemptyset(&action.sa_mask);
    terminal = isatty(STDERR_FILENO) == 1;
    installed = sigaction(SIGBUS, &action, &before) == 0;
    return installed;
}

static void clear(struct region *r)
{
    atomic_store_explicit(&r->start, 0, memory_order_release);
    free(r->path);
    free(r->cut);
    free(r->unreadable);
    r->path = r->cut = r->unreadable = NULL;
}

bool mapping_fault_watch(const char *path, const void *start, size_t size)
{
    char line[LINE];
    size_t i = 0;
    while (i < REGIONS_MAX && atomic_load(&regions[i].start) != 0)
        i++;
    if (i == REGIONS_MAX || !install())
        return false;
    struct region *r = &regions[i];
    r->size = size;
    r->path = strdup(path);
    error_compose(line, sizeof line,
                  "%s: cut short while it was mapped; restore the file, and leave it alone while "
                  "it is in use",
                  path);
    r->cut = strdup(line);
    error_compose(
        line, sizeof line,
        "%s: cannot be read any more where it is mapped; check the disk, or copy the file", path);
    r->unreadable = strdup(line);
    if (r->path == NULL || r->cut == NULL || r->unreadable == NULL) {
        clear(r);
        return false;
    }
    atomic_store_explicit(&r->start, (uintptr_t)start, memory_order_release);
    return true;
}

void mapping_fault_forget(const void *start, size_t size)
{
    for (size_t i = 0; i < REGIONS_MAX; i++) {
        const uintptr_t at = atomic_load(&regions[i].start);
        if (at != 0 && at >= (uintptr_t)start && at - (uintptr_t)start < size)
            clear(&regions[i]);
    }
}
