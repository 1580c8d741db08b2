/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "mapping.h"

#include "base/error.h"
#include "mapping_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, const char *what, const char *remedy)
{
    const int reason = errno;
    error_line("%s: cannot %s: %s; %s", path, what, strerror(reason), remedy);
    return reason == ENOMEM ? EXIT_INTERNAL : EXIT_DATA;
}

/* Returns the least common multiple of the page size and the record size, in bytes. */
static size_t unit_of(size_t record_bytes)
{
    size_t a = (size_t)sysconf(_SC_PAGESIZE), b = record_bytes;
    const size_t page = a;
    while (b != 0) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return page / a * record_bytes;
}

/* Maps each open file at its place in the reserved address space. */
static int map_all(const char *const *paths, const int *open_files, size_t count,
                   size_t record_bytes, const mapping *map, const mapped_records *files)
{
    for (size_t f = 0; f < count; f++) {
        uint8_t *at = map->bytes + files[f].first * record_bytes;
        const size_t size = files[f].count * record_bytes;
        if (size > 0 &&
            mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, open_files[f], 0) == MAP_FAILED)
            return failed(paths[f], "map it", "leave --mmap out");
        if (size > 0 && !mapping_fault_watch(paths[f], at, size)) {
            error_line("%s: out of memory to map it; leave --mmap out", paths[f]);
            return EXIT_INTERNAL;
        }
    }
    return EXIT_OK;
}

int mapping_open(const char *const *paths, size_t count, size_t record_bytes, mapping *map,
                 mapped_records *files)
{
    const size_t unit = unit_of(record_bytes);
    int open_files[count], code = EXIT_OK;
    size_t n_open = 0;
    *map = (mapping){0};
    for (; n_open < count && code == EXIT_OK; n_open++) {
        const size_t f = n_open;
        struct stat status;
        open_files[f] = open(paths[f], O_RDONLY | O_CLOEXEC);
        if (open_files[f] < 0)
            code = failed(paths[f], "open it", "check the file");
        else if (fstat(open_files[f], &status) != 0)
            code = failed(paths[f], "read its size", "check the file");
        else {
            const size_t size = (size_t)status.st_size;
            files[f] = (mapped_records){map->size / record_bytes, size / record_bytes};
            map->size += count > 1 ? (size + unit - 1) / unit * unit : size;
        }
    }
    if (code == EXIT_OK) {
        void *room =
            mmap(NULL, map->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room != MAP_FAILED) {
            map->bytes = room;
            code = map_all(paths, open_files, count, record_bytes, map, files);
        } else {
            code = failed(paths[0], "reserve address space for it", "leave --mmap out");
        }
    }
    for (size_t f = 0; f < n_open; f++)
        if (open_files[f] >= 0)
            close(open_files[f]);
    if (code != EXIT_OK)
        mapping_close(map);
    return code;
}

void mapping_close(mapping *map)
{
    if (map->bytes != NULL) {
        mapping_fault_forget(map->bytes, map->size);
        munmap(map->bytes, map->size);
    }
    *map = (mapping){0};
}
