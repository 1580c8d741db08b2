/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "cifar.h"
#include "idx.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where Debian's dataset-fashion-mnist installs it. */
#define FASHION_MNIST_DIRECTORY "/usr/share/datasets/fashion-mnist"

enum { FASHION_MNIST_CLASSES = 10, HELD_OUT_SHARE = 6 };

static void samples_free(samples *s)
{
    mapping_close(&s->map);
    free(s->memory);
    free(s->rows);
    free(s->y);
    *s = (samples){0};
}

uint8_t *samples_new(size_t n, size_t d, samples *s)
{
    uint8_t *x = n <= SIZE_MAX / d ? memory_new(n * d, 1) : NULL;
    *s = (samples){.n = n, .d = d, .x = x, .ldx = d, .x_rows = n, .memory = x};
    s->y = memory_new(n, sizeof *s->y);
    return s->y != NULL ? x : NULL;
}

/* Labels must be below `classes`, or, where that is 0, raise *largest. */
static int read_labels(const char *path, const idx_array *array, size_t classes, samples *s,
                       size_t *largest)
{
    for (size_t i = 0; i < s->n; i++) {
        const size_t label = array->bytes[i];
        if (classes != 0 && label >= classes) {
            error_line("%s: label %zu of sample %zu is outside 0 ... %zu; "
                       "the file belongs to another data set",
                       path, label, i, classes - 1);
            return EXIT_DATA;
        }
        *largest = label > *largest ? label : *largest;
        s->y[i] = (int32_t)label;
    }
    return EXIT_OK;
}

static int join(const char *images_path, const idx_array *images, const char *labels_path,
                const idx_array *labels, size_t classes, samples *s, size_t *largest)
{
    if (images->rows != labels->rows) {
        error_line("%s: %zu labels, but %s has %zu images; name files that belong together",
                   labels_path, labels->rows, images_path, images->rows);
        return EXIT_DATA;
    }
    /* The product fits: the bytes are in memory. */
    uint8_t *x = images->map.bytes == NULL ? samples_new(images->rows, images->columns, s) : NULL;
    if (images->map.bytes != NULL) {
        *s = (samples){.n = images->rows,
                       .d = images->columns,
                       .x = images->bytes,
                       .ldx = images->columns,
                       .x_rows = images->rows,
                       .y = memory_new(images->rows, sizeof *s->y),
                       .map = images->map};
    } else if (x != NULL) {
        memcpy(x, images->bytes, s->n * s->d);
    }
    if (s->x == NULL || s->y == NULL) {
        error_line("%s: out of memory for %zu x %zu bytes", images_path, images->rows,
                   images->columns);
        return EXIT_INTERNAL;
    }
    return read_labels(labels_path, labels, classes, s, largest);
}

static int read_pair(const char *images_path, const char *labels_path, bool mapped, size_t classes,
                     samples *s, size_t *largest)
{
    idx_array images = {0}, labels = {0};
    int code = mapped ? idx_map(images_path, 2, 4, &images) : idx_read(images_path, 2, 4, &images);
    if (code == EXIT_OK)
        code = idx_read(labels_path, 1, 1, &labels);
    if (code == EXIT_OK)
        code = join(images_path, &images, labels_path, &labels, classes, s, largest);
    if (s->map.bytes != NULL)
        images = (idx_array){0}; /* the samples have it now */
    idx_free(&images);
    idx_free(&labels);
    if (code != EXIT_OK)
        samples_free(s);
    return code;
}

/* A single damaged byte can make a data set of ten classes one of 256. */
static void warn_of_missing_classes(const char *path, const samples *s, size_t c)
{
    bool seen[UINT8_MAX + 1] = {false};
    for (size_t i = 0; i < s->n; i++)
        seen[s->y[i]] = true;
    size_t missing = 0, first = 0;
    for (size_t j = c; j-- > 0;)
        if (!seen[j]) {
            missing++;
            first = j;
        }
    if (missing > 0)
        warning_line(
            "%s: the largest label is %zu, but %zu of the %zu classes, %zu the first, have "
            "no sample; is a label damaged?",
            path, c - 1, missing, c, first);
}

/* The last sixth of the samples becomes the test set. */
static int hold_out(const char *path, dataset *data)
{
    samples *all = &data->train, *test = &data->test;
    const size_t n = all->n / HELD_OUT_SHARE, d = all->d;
    if (n == 0) {
        error_line("%s: %zu samples are too few to hold some out; name test files", path, all->n);
        return EXIT_DATA;
    }
    all->n -= n;
    const uint8_t *from = all->x + all->n * all->ldx;
    uint8_t *x = all->memory != NULL ? samples_new(n, d, test) : NULL;
    if (all->memory == NULL) /* it stays where it is mapped */
        *test = (samples){.n = n,
                          .d = d,
                          .x = from,
                          .ldx = all->ldx,
                          .x_rows = n,
                          .y = memory_new(n, sizeof *test->y)};
    else if (x != NULL)
        memcpy(x, from, n * d);
    if (test->x == NULL || test->y == NULL) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    memcpy(test->y, all->y + all->n, n * sizeof *test->y);
    data->test_note = "the last sixth of the samples, held out";
    return EXIT_OK;
}

/* files: train images, train labels, and then either NULL or test images and test labels. */
static int read_files(const char *const files[4], bool mapped, size_t classes, dataset *data)
{
    size_t largest = 0;
    int code = read_pair(files[0], files[1], mapped, classes, &data->train, &largest);
    if (code != EXIT_OK)
        return code;
    data->c = classes != 0 ? classes : largest + 1;
    warn_of_missing_classes(files[1], &data->train, data->c);
    if (files[2] == NULL)
        return hold_out(files[0], data);
    data->test_note = "test files";
    code = read_pair(files[2], files[3], mapped, data->c, &data->test, &largest);
    if (code == EXIT_OK && data->test.d != data->train.d) {
        error_line("%s: %zu features, but %s has %zu; name files that belong together", files[2],
                   data->test.d, files[0], data->train.d);
        code = EXIT_DATA;
    }
    return code;
}

static int open_fashion_mnist(bool mapped, dataset *data)
{
    static const char *const names[4] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
    const char *directory = getenv("DOWNHILL_FASHION_MNIST");
    if (directory == NULL || directory[0] == '\0')
        directory = FASHION_MNIST_DIRECTORY;
    char *paths[4] = {NULL};
    int code = EXIT_OK;
    for (size_t i = 0; i < 4 && code == EXIT_OK; i++) {
        if (asprintf(&paths[i], "%s/%s", directory, names[i]) < 0) {
            paths[i] = NULL;
            error_line("fashion-mnist: out of memory");
            code = EXIT_INTERNAL;
        } else if (access(paths[i], R_OK) != 0) {
            error_line("fashion-mnist: no %s; install the Debian package dataset-fashion-mnist, or "
                       "set DOWNHILL_FASHION_MNIST to the directory that holds the four .gz files",
                       paths[i]);
            code = EXIT_DATA;
        }
    }
    if (code == EXIT_OK)
        code = read_files((const char *const *)paths, mapped, FASHION_MNIST_CLASSES, data);
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    return code;
}

static int open_idx(const char *list, bool mapped, dataset *data)
{
    char *copy = strdup(list);
    if (copy == NULL) {
        error_line("--data: out of memory");
        return EXIT_INTERNAL;
    }
    const char *files[4] = {NULL};
    size_t count = 0;
    char *rest = copy;
    for (const char *file; (file = strsep(&rest, ",")) != NULL; count++)
        if (count < 4)
            files[count] = file;
    int code;
    if (count != 2 && count != 4) {
        error_line("--data: 'idx:%s' names %zu files; "
                   "give idx:IMAGES,LABELS or idx:IMAGES,LABELS,TEST_IMAGES,TEST_LABELS",
                   list, count);
        code = EXIT_USAGE;
    } else {
        code = read_files(files, mapped, 0, data);
    }
    free(copy);
    return code;
}

static int open_spec(const char *spec, bool mapped, dataset *data)
{
    *data = (dataset){0};
    int code;
    if (strcmp(spec, "fashion-mnist") == 0) {
        snprintf(data->name, sizeof data->name, "fashion-mnist");
        code = open_fashion_mnist(mapped, data);
    } else if (strncmp(spec, "idx:", 4) == 0) {
        snprintf(data->name, sizeof data->name, "idx");
        code = open_idx(spec + 4, mapped, data);
    } else if (strncmp(spec, "cifar10:", 8) == 0) {
        snprintf(data->name, sizeof data->name, "cifar10");
        code = cifar_read(spec + 8, CIFAR_10, mapped, data);
    } else if (strncmp(spec, "cifar100:", 9) == 0) {
        snprintf(data->name, sizeof data->name, "cifar100");
        code = cifar_read(spec + 9, CIFAR_100, mapped, data);
    } else {
        error_line("--data: '%s' is not known; give fashion-mnist, idx:IMAGES,LABELS, "
                   "cifar10:DIRECTORY or cifar100:DIRECTORY",
                   spec);
        code = EXIT_USAGE;
    }
    if (code != EXIT_OK)
        dataset_close(data);
    return code;
}

int dataset_open(const char *spec, dataset *data)
{
    return open_spec(spec, false, data);
}

int dataset_map(const char *spec, dataset *data)
{
    return open_spec(spec, true, data);
}

void dataset_close(dataset *data)
{
    samples_free(&data->train);
    samples_free(&data->test);
}
