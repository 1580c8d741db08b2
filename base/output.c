/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "output.h"

#include "error.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* jansson calls return -1 on an allocation failure; one is enough to spoil the document. */
static bool spoiled;

void output_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        spoiled = true;
}

json_t *output_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Sets the permissions that a plain fopen() would have given: mkstemp() makes a private file. */
static int share(int descriptor)
{
    const mode_t mask = umask(0);
    umask(mask);
    return fchmod(descriptor, 0666 & ~mask);
}

static bool write_document(FILE *file, const json_t *root)
{
    return json_dumpf(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
           fputc('\n', file) != EOF && fflush(file) == 0;
}

static int write_file(const char *path, const json_t *root)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    const int descriptor = mkstemp(temporary);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    bool good = file != NULL && write_document(file, root) && share(descriptor) == 0 &&
                fsync(descriptor) == 0;
    int reason = errno;
    if (file != NULL && fclose(file) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && rename(temporary, path) != 0) {
        good = false;
        reason = errno;
    }
    if (!good) {
        error_line("%s: cannot write the results: %s; nothing was left there", path,
                   strerror(reason));
        if (descriptor >= 0)
            unlink(temporary);
    }
    free(temporary);
    return good ? EXIT_OK : EXIT_INTERNAL;
}

int output_json(const char *path, json_t *root)
{
    int code;
    if (root == NULL || spoiled) {
        error_line("%s: out of memory", path);
        code = EXIT_INTERNAL;
    } else if (strcmp(path, "-") == 0) {
        code = EXIT_OK;
        if (!write_document(stdout, root)) {
            error_line("standard output: cannot write the results: %s", strerror(errno));
            code = EXIT_INTERNAL;
        }
    } else {
        code = write_file(path, root);
    }
    json_decref(root);
    return code;
}

int output_check(const char *path)
{
    if (strcmp(path, "-") == 0)
        return EXIT_OK;
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        error_line("%s: is a directory; name a file", path);
        return EXIT_USAGE;
    }
    char *probe;
    if (asprintf(&probe, "%s.XXXXXX", path) < 0) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    const int descriptor = mkstemp(probe);
    if (descriptor < 0) {
        error_line("%s: cannot write there: %s; name a directory that exists and is writable", path,
                   strerror(errno));
    } else {
        close(descriptor);
        unlink(probe);
    }
    free(probe);
    return descriptor < 0 ? EXIT_USAGE : EXIT_OK;
}
