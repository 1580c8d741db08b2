/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "support.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { PATHS_MAX = 64 };

static char directory[64];
static char *paths[PATHS_MAX];
static size_t n_paths;

int scratch_open(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/downhill-test-XXXXXX");
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int delete_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

int scratch_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_paths; i++)
        free(paths[i]);
    n_paths = 0;
    if (nftw(directory, delete_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(directory);
        exit(EXIT_FAILURE); /* cmocka ignores a failed teardown */
    }
    return 0;
}

size_t scratch_count(void)
{
    size_t count = 0;
    DIR *d = opendir(directory);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

const char *scratch_path(const char *name)
{
    char *path;
    assert_true(directory[0] != '\0'); /* otherwise this would be the root directory */
    assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
    for (size_t i = 0; i < n_paths; i++)
        if (strcmp(paths[i], path) == 0) {
            free(path);
            return paths[i];
        }
    assert_true(n_paths < PATHS_MAX);
    return paths[n_paths++] = path;
}

void write_raw(const char *path, const void *bytes, size_t count)
{
    unlink(path); /* truncating and rewriting a file makes ext4 wait for the disk */
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void write_gzip(const char *path, const void *bytes, size_t count)
{
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)count), count);
    assert_int_equal(gzclose(file), Z_OK);
}

char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = NULL;
    size_t used = 0;
    for (;;) {
        char *grown = realloc(text, used + 65537);
        assert_non_null(grown);
        text = grown;
        const size_t got = fread(text + used, 1, 65536, file);
        used += got;
        if (got == 0)
            break;
    }
    text[used] = '\0';
    fclose(file);
    return text;
}

static int saved_stderr = -1;
static char *captured_text;

void capture_stderr(void)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    const int to = open(scratch_path("stderr"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(saved_stderr >= 0 && to >= 0);
    dup2(to, STDERR_FILENO);
    close(to);
}

const char *captured(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    free(captured_text);
    captured_text = read_text(scratch_path("stderr"));
    unlink(scratch_path("stderr"));
    return captured_text;
}

size_t count_of(const char *text, char character)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == character;
    return count;
}
