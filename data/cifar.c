/* SPDX-License-Identifier: MIT
 *
 * Reads the binary version of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): records of one or two
 * label bytes and the 3072 bytes of a picture, its red, green and blue planes. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "readers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PICTURE = 3072, TRAIN_FILES_MAX = 5, FILES_MAX = TRAIN_FILES_MAX + 1, PATH_BYTES = 4096 };

struct format {
    const char *name;
    size_t label_bytes; /* the last one is the label that is used */
    size_t classes;
    size_t n_train_files;
    const char *files[FILES_MAX]; /* training files, then the test file */
    const char *const *class_names;
};

static const char *const classes_10[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                         "dog",      "frog",       "horse", "ship", "truck"};

static const struct format cifar_10 = {"CIFAR-10",
                                       1,
                                       10,
                                       5,
                                       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"},
                                       classes_10};

/* With the fine labels. */
static const struct format cifar_100 = {"CIFAR-100", 2, 100, 1, {"train.bin", "test.bin"}, NULL};

static int join_path(const char *directory, const char *file, char path[PATH_BYTES])
{
    if (snprintf(path, PATH_BYTES, "%s/%s", directory, file) < PATH_BYTES)
        return EXIT_OK;
    error_line("%.60s...: the path is too long; name a shorter one", directory);
    return EXIT_DATA;
}

/* Adds the number of records of a file, from its size alone. */
static int count_records(const char *path, const struct format *format, size_t *records)
{
    const size_t record = format->label_bytes + PICTURE;
    struct stat status;
    if (stat(path, &status) != 0) {
        const int why = errno;
        if (why == ENOENT || why == ENOTDIR)
            error_line("%s: %s; name the directory that holds the .bin files of %s", path,
                       strerror(why), format->name);
        else
            error_line("%s: %s; check the file", path, strerror(why));
        return EXIT_DATA;
    }
    if (!S_ISREG(status.st_mode)) {
        error_line("%s: not a file; name the directory that holds the .bin files of %s", path,
                   format->name);
        return EXIT_DATA;
    }
    const size_t bytes = (size_t)status.st_size;
    if (bytes == 0) {
        error_line("%s: is empty; download the file again", path);
        return EXIT_DATA;
    }
    if (bytes % record != 0) {
        error_line("%s: %zu bytes is not a multiple of %zu, the size of a record of %s; download "
                   "the file again",
                   path, bytes, record, format->name);
        return EXIT_DATA;
    }
    *records += bytes / record;
    return EXIT_OK;
}

static int bad_label(const char *path, const struct format *format, size_t number, size_t label)
{
    error_line("%s: byte %zu: label %zu of record %zu is outside 0 ... %zu; the file is damaged or "
               "not of %s",
               path, number * (format->label_bytes + PICTURE) + format->label_bytes - 1, label,
               number, format->classes - 1, format->name);
    return EXIT_DATA;
}

/* Reads the records of a file into row *next and the rows after it. */
static int read_file(const char *path, const struct format *format, matrix *x, size_t *next)
{
    const size_t record_bytes = format->label_bytes + PICTURE;
    unsigned char record[PICTURE + 2];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        error_line("%s: cannot open: %s; check the path", path, strerror(errno));
        return EXIT_DATA;
    }
    int code = EXIT_OK;
    size_t number = 0;
    for (size_t got; code == EXIT_OK && (got = fread(record, 1, record_bytes, file)) > 0;
         number++) {
        const size_t label = record[format->label_bytes - 1];
        if (got < record_bytes || *next == x->rows) {
            error_line("%s: byte %zu: the file changed while it was read; try again", path,
                       number * record_bytes + got);
            code = EXIT_DATA;
        } else if (label >= format->classes) {
            code = bad_label(path, format, number, label);
        } else {
            memcpy((uint8_t *)x->memory + *next * PICTURE, record + format->label_bytes, PICTURE);
            x->y[(*next)++] = (int32_t)label;
        }
    }
    if (code == EXIT_OK && ferror(file)) {
        error_line("%s: byte %zu: %s; check the file", path, number * record_bytes,
                   strerror(errno));
        code = EXIT_DATA;
    }
    fclose(file);
    return code;
}

/* Maps the records of `count` files. */
static int map_files(const char *const *paths, size_t count, const struct format *format,
                     size_t records, matrix *x, samples *s)
{
    const size_t record_bytes = format->label_bytes + PICTURE;
    mapped_records files[FILES_MAX];
    const int code = mapping_open(paths, count, record_bytes, &x->map, files);
    if (code != EXIT_OK)
        return code;
    x->d = PICTURE;
    x->ld = record_bytes;
    x->rows = x->map.size / record_bytes;
    x->u8 = x->map.bytes + format->label_bytes;
    x->y = memory_new(x->rows, sizeof *x->y);
    *s = (samples){.x = x, .rows = memory_new(records, sizeof *s->rows)};
    if (s->rows == NULL || x->y == NULL) {
        error_line("%s: out of memory for %zu labels", paths[0], records);
        return EXIT_INTERNAL;
    }
    for (size_t f = 0; f < count; f++)
        for (size_t number = 0; number < files[f].count && s->n < records; number++) {
            const size_t row = files[f].first + number;
            const size_t label = x->map.bytes[row * record_bytes + format->label_bytes - 1];
            if (label >= format->classes)
                return bad_label(paths[f], format, number, label);
            x->y[row] = (int32_t)label;
            s->rows[s->n++] = row;
        }
    if (s->n < records) {
        error_line("%s: %zu of %zu records are still there; the files changed while they were "
                   "mapped; try again",
                   paths[0], s->n, records);
        return EXIT_DATA;
    }
    return EXIT_OK;
}

static int read_files(const char *const *paths, size_t count, const struct format *format,
                      size_t records, matrix *x)
{
    if (!matrix_new_u8(records, PICTURE, x)) {
        error_line("%s: out of memory for %zu x %d bytes", paths[0], records, PICTURE);
        return EXIT_INTERNAL;
    }
    size_t next = 0;
    int code = EXIT_OK;
    for (size_t f = 0; f < count && code == EXIT_OK; f++)
        code = read_file(paths[f], format, x, &next);
    if (code == EXIT_OK && next < x->rows) {
        error_line("%s: %zu of %zu records are still there; the files changed while they were "
                   "read; try again",
                   paths[0], next, x->rows);
        code = EXIT_DATA;
    }
    return code;
}

/* Reads or maps the files `first` to `end` - 1 as the training (0) or test set (1). */
static int read_set(const char *directory, const struct format *format, size_t first, size_t end,
                    bool mapped, dataset *data, int set)
{
    char path[FILES_MAX][PATH_BYTES];
    const char *paths[FILES_MAX];
    size_t records = 0;
    int code = EXIT_OK;
    for (size_t f = first; f < end && code == EXIT_OK; f++) {
        paths[f - first] = path[f - first];
        if ((code = join_path(directory, format->files[f], path[f - first])) == EXIT_OK)
            code = count_records(path[f - first], format, &records);
    }
    if (code != EXIT_OK)
        return code;
    matrix *x = &data->stored[set];
    if (mapped)
        return map_files(paths, end - first, format, records, x,
                         set == 0 ? &data->train : &data->test);
    code = read_files(paths, end - first, format, records, x);
    return code != EXIT_OK ? code : dataset_take_all(data, set, records);
}

static int read_cifar(const char *directory, const struct format *format, bool mapped,
                      dataset *data)
{
    if (directory[0] == '\0') {
        error_line(
            "--data: %s: no directory; give the one that holds its .bin files after the colon",
            format->name);
        return EXIT_USAGE;
    }
    const size_t n_train_files = format->n_train_files;
    const int code = read_set(directory, format, 0, n_train_files, mapped, data, 0);
    data->c = format->classes;
    data->class_names = format->class_names;
    data->test_note = "test file";
    return code != EXIT_OK
               ? code
               : read_set(directory, format, n_train_files, n_train_files + 1, mapped, data, 1);
}

int read_cifar10(const char *directory, bool mapped, dataset *data)
{
    return read_cifar(directory, &cifar_10, mapped, data);
}

int read_cifar100(const char *directory, bool mapped, dataset *data)
{
    return read_cifar(directory, &cifar_100, mapped, data);
}
