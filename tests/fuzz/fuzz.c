/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fuzz.h"

#include "base/error.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/dev/shm/downhill-fuzz-XXXXXX";

static void remove_directory(void)
{
    DIR *d = opendir(directory);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        (void)unlink(fuzz_path(e->d_name));
    if (d != NULL)
        closedir(d);
    (void)rmdir(directory);
}

const char *fuzz_path(const char *name)
{
    static char path[512];
    static int created;
    if (!created && mkdtemp(directory) == NULL)
        abort();
    if (!created)
        atexit(remove_directory);
    created = 1;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

const char *fuzz_file(const char *name, const uint8_t *bytes, size_t count)
{
    const char *path = fuzz_path(name);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, bytes, count) != (ssize_t)count || close(file) != 0)
        abort();
    return path;
}

void fuzz_expect(int code)
{
    if (code != EXIT_OK && code != EXIT_DATA)
        abort();
}
