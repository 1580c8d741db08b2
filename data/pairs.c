/* SPDX-License-Identifier: MIT
 *
 * Data sets whose features are in one file and whose labels are in another. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "idx.h"
#include "npy_file.h"
#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where Debian's dataset-fashion-mnist installs it. */
#define FASHION_MNIST_DIRECTORY "/usr/share/datasets/fashion-mnist"

enum { FASHION_MNIST_CLASSES = 10 };

/* How the files of a format are read. */
typedef struct pair_format {
    const char *word, *features, *labels; /* for messages */
    int (*read_features)(const char *path, bool mapped, array *a);
    int (*read_labels)(const char *path, array *a);
} pair_format;

static int64_t label_at(const array *labels, size_t i)
{
    switch (labels->type) {
    case ARRAY_U8:
        return ((const uint8_t *)labels->elements)[i];
    case ARRAY_I64:
        return ((const int64_t *)labels->elements)[i];
    case ARRAY_F32:
        break;
    }
    return -1; /* no reader of labels gives these */
}

/* Labels must be below `classes`, or, where that is 0, raise *largest. */
static int take_labels(const char *path, const array *labels, size_t classes, matrix *x,
                       size_t *largest)
{
    const int64_t limit = classes != 0 ? (int64_t)classes : DATASET_CLASSES_MAX;
    for (size_t i = 0; i < x->rows; i++) {
        const int64_t label = label_at(labels, i);
        if (label < 0 || label >= limit) {
            error_line("%s: label %lld of sample %zu is outside 0 ... %lld; "
                       "the file belongs to another data set",
                       path, (long long)label, i, (long long)limit - 1);
            return EXIT_DATA;
        }
        *largest = (size_t)label > *largest ? (size_t)label : *largest;
        x->y[i] = (int32_t)label;
    }
    return EXIT_OK;
}

/* The matrix takes the elements. */
static bool take_features(array *features, matrix *x)
{
    *x = (matrix){.rows = features->rows,
                  .d = features->columns,
                  .ld = features->columns,
                  .u8 = features->type == ARRAY_U8 ? features->elements : NULL,
                  .f32 = features->type == ARRAY_F32 ? features->elements : NULL,
                  .y = memory_new(features->rows, sizeof *x->y),
                  .memory = features->map.bytes == NULL ? features->elements : NULL,
                  .map = features->map};
    *features = (array){0};
    return x->y != NULL;
}

static int read_pair(const pair_format *format, const char *const files[2], bool mapped,
                     size_t classes, matrix *x, size_t *largest)
{
    array features = {0}, labels = {0};
    int code = format->read_features(files[0], mapped, &features);
    if (code == EXIT_OK)
        code = format->read_labels(files[1], &labels);
    if (code == EXIT_OK && features.rows != labels.rows) {
        error_line("%s: %zu labels, but %s has %zu samples; name files that belong together",
                   files[1], labels.rows, files[0], features.rows);
        code = EXIT_DATA;
    }
    if (code == EXIT_OK && !take_features(&features, x)) {
        error_line("%s: out of memory for %zu labels", files[1], labels.rows);
        code = EXIT_INTERNAL;
    }
    if (code == EXIT_OK)
        code = take_labels(files[1], &labels, classes, x, largest);
    array_free(&features);
    array_free(&labels);
    return code;
}

/* files: features and labels to train on, and then either NULL or those of the test. */
static int read_files(const pair_format *format, const char *const files[4], bool mapped,
                      size_t classes, dataset *data)
{
    matrix *train = &data->stored[0], *test = &data->stored[1];
    size_t largest = 0;
    int code = read_pair(format, files, mapped, classes, train, &largest);
    if (code != EXIT_OK)
        return code;
    data->c = classes != 0 ? classes : largest + 1;
    dataset_warn_of_missing_classes(files[1], train, data->c);
    if (files[2] == NULL) {
        code = dataset_take_with_held_out(files[0], data, train->rows);
    } else {
        data->test_note = "test files";
        code = dataset_take_all(data, 0, train->rows);
        if (code == EXIT_OK)
            code = read_pair(format, files + 2, mapped, data->c, test, &largest);
        if (code == EXIT_OK)
            code = dataset_take_all(data, 1, test->rows);
        if (code == EXIT_OK && (test->d != train->d || !test->u8 != !train->u8)) {
            error_line("%s: %zu features of %s, but %s has %zu of %s; name files that belong "
                       "together",
                       files[2], test->d, test->u8 ? "bytes" : "f32", files[0], train->d,
                       train->u8 ? "bytes" : "f32");
            code = EXIT_DATA;
        }
    }
    return code;
}

static int read_list(const pair_format *format, const char *list, bool mapped, dataset *data)
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
        error_line("--data: '%s:%s' names %zu files; give %s:%s,%s or %s:%s,%s,TEST_%s,TEST_%s",
                   format->word, list, count, format->word, format->features, format->labels,
                   format->word, format->features, format->labels, format->features,
                   format->labels);
        code = EXIT_USAGE;
    } else {
        code = read_files(format, files, mapped, 0, data);
    }
    free(copy);
    return code;
}

/* ---- IDX ---- */

static int idx_features(const char *path, bool mapped, array *a)
{
    return mapped ? idx_map(path, 2, 4, a) : idx_read(path, 2, 4, a);
}

static int idx_labels(const char *path, array *a)
{
    return idx_read(path, 1, 1, a);
}

static const pair_format idx = {"idx", "IMAGES", "LABELS", idx_features, idx_labels};

int read_idx(const char *files, bool mapped, dataset *data)
{
    return read_list(&idx, files, mapped, data);
}

/* ---- NPY ---- */

static const pair_format npy = {"npy", "X.npy", "Y.npy", npy_features, npy_labels};

int read_npy(const char *files, bool mapped, dataset *data)
{
    return read_list(&npy, files, mapped, data);
}

/* ---- Fashion-MNIST ---- */

int read_fashion_mnist(const char *files, bool mapped, dataset *data)
{
    static const char *const names[4] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
    static const char *const classes[FASHION_MNIST_CLASSES] = {
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
    (void)files;
    const char *variable = getenv("DOWNHILL_FASHION_MNIST");
    const bool named = variable != NULL && variable[0] != '\0';
    const char *directory = named ? variable : FASHION_MNIST_DIRECTORY;
    char *paths[4] = {NULL};
    int code = EXIT_OK;
    for (size_t i = 0; i < 4 && code == EXIT_OK; i++) {
        if (asprintf(&paths[i], "%s/%s", directory, names[i]) < 0) {
            paths[i] = NULL;
            error_line("fashion-mnist: out of memory");
            code = EXIT_INTERNAL;
        } else if (access(paths[i], R_OK) != 0) {
            error_line("fashion-mnist: no %s; %sset DOWNHILL_FASHION_MNIST to the directory that "
                       "holds the four .gz files",
                       paths[i],
                       named ? "" : "install the Debian package dataset-fashion-mnist, or ");
            code = named ? EXIT_DATA : EXIT_ENVIRONMENT;
        }
    }
    if (code == EXIT_OK)
        code = read_files(&idx, (const char *const *)paths, mapped, FASHION_MNIST_CLASSES, data);
    data->class_names = classes;
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    return code;
}
