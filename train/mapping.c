/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "mapping.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, const char *what)
{
    error_line("%s: cannot %s: %s; check the file, or leave --mmap out", path, what,
               strerror(errno));
    return EXIT_DATA;
}

/* The least number of bytes that is whole pages and whole records. */
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

/* Maps one file at this address, where there is room that nobody uses. */
static int map_at(const char *path, uint8_t *at, size_t size)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return failed(path, "open it");
    const void *got = mmap(at, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
    const int code = got == MAP_FAILED ? failed(path, "map it") : EXIT_OK;
    close(file);
    return code;
}

int mapping_open(const char *const *paths, size_t count, size_t record_bytes, mapping *map,
                 size_t *first)
{
    const size_t unit = unit_of(record_bytes);
    size_t sizes[count];
    *map = (mapping){0};
    for (size_t f = 0; f < count; f++) {
        struct stat status;
        if (stat(paths[f], &status) != 0)
            return failed(paths[f], "open it");
        sizes[f] = (size_t)status.st_size;
        first[f] = map->size / record_bytes;
        map->size += count > 1 ? (sizes[f] + unit - 1) / unit * unit : sizes[f];
    }
    void *room =
        mmap(NULL, map->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        const int code = failed(paths[0], "find room to map it");
        *map = (mapping){0};
        return code;
    }
    map->bytes = room;
    int code = EXIT_OK;
    for (size_t f = 0; f < count && code == EXIT_OK; f++)
        code = map_at(paths[f], map->bytes + first[f] * record_bytes, sizes[f]);
    if (code != EXIT_OK)
        mapping_close(map);
    return code;
}

void mapping_close(mapping *map)
{
    if (map->bytes != NULL)
        munmap(map->bytes, map->size);
    *map = (mapping){0};
}
