/* SPDX-License-Identifier: MIT
 *
 * Data sets whose features are in one file and whose labels are in another. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "idx.h"
#include "labels.h"
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
    bool numbered;                        /* the classes are the numbers below data->c */
    int (*read_features)(const char *path, bool mapped, array *a);
    int (*read_labels)(const char *path, labels *l);
} pair_format;

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

/* files[1] is NULL for a set without labels. */
static int read_pair(const pair_format *format, const char *const files[2], bool mapped, int set,
                     dataset *data)
{
    matrix *x = &data->stored[set];
    array features = {0};
    labels l = {0};
    int code = format->read_features(files[0], mapped, &features);
    if (code == EXIT_OK && files[1] != NULL)
        code = format->read_labels(files[1], &l);
    if (code == EXIT_OK && files[1] != NULL && features.rows != l.n) {
        error_line("%s: %zu labels, but %s has %zu samples; name files that belong together",
                   files[1], l.n, files[0], features.rows);
        code = EXIT_DATA;
    }
    if (code == EXIT_OK && !take_features(&features, x)) {
        error_line("%s: out of memory for %zu labels", files[0], x->rows);
        code = EXIT_INTERNAL;
    }
    if (code == EXIT_OK && files[1] == NULL)
        labels_absent(data);
    else if (code == EXIT_OK)
        code = format->numbered ? labels_classify_numbered(files[1], &l, set, data)
                                : labels_classify(files[1], &l, set, data);
    array_free(&features);
    labels_free(&l);
    return code;
}

/* files: features and labels to train on, and then either NULL or those of the test. */
static int read_files(const pair_format *format, const char *const files[4], bool mapped,
                      dataset *data)
{
    matrix *train = &data->stored[0], *test = &data->stored[1];
    int code = read_pair(format, files, mapped, 0, data);
    if (code != EXIT_OK)
        return code;
    if (files[2] == NULL)
        return dataset_take_with_held_out(files[0], data, train->rows);
    data->test_note = "test files";
    code = dataset_take_all(data, 0, train->rows);
    if (code == EXIT_OK)
        code = read_pair(format, files + 2, mapped, 1, data);
    if (code == EXIT_OK)
        code = dataset_take_all(data, 1, test->rows);
    if (code == EXIT_OK && (test->d != train->d || !test->u8 != !train->u8)) {
        error_line("%s: %zu features of %s, but %s has %zu of %s; name files that belong "
                   "together",
                   files[2], test->d, test->u8 ? "bytes" : "f32", files[0], train->d,
                   train->u8 ? "bytes" : "f32");
        code = EXIT_DATA;
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
    if (count != 2 && count != 4 && !(count == 1 && data->use.labels_optional)) {
        error_line("--data: '%s:%s' names %zu files; give %s:%s,%s or %s:%s,%s,TEST_%s,TEST_%s",
                   format->word, list, count, format->word, format->features, format->labels,
                   format->word, format->features, format->labels, format->features,
                   format->labels);
        code = EXIT_USAGE;
    } else {
        code = read_files(format, files, mapped, data);
    }
    free(copy);
    return code;
}

/* ---- IDX ---- */

static int idx_features(const char *path, bool mapped, array *a)
{
    return mapped ? idx_map(path, 2, 4, a) : idx_read(path, 2, 4, a);
}

static int idx_labels(const char *path, labels *l)
{
    array a;
    const int code = idx_read(path, 1, 1, &a);
    if (code != EXIT_OK)
        return code;
    *l = (labels){.n = a.rows, .numbers = memory_new(a.rows, sizeof *l->numbers)};
    for (size_t i = 0; i < a.rows && l->numbers != NULL; i++)
        l->numbers[i] = ((const uint8_t *)a.elements)[i];
    array_free(&a);
    if (l->numbers != NULL)
        return EXIT_OK;
    error_line("%s: out of memory for %zu labels", path, l->n);
    return EXIT_INTERNAL;
}

static const pair_format idx = {"idx", "IMAGES", "LABELS", false, idx_features, idx_labels};

int read_idx(const char *files, bool mapped, dataset *data)
{
    return read_list(&idx, files, mapped, data);
}

/* ---- NPY ---- */

static const pair_format npy = {"npy", "X.npy", "Y.npy", false, npy_features, npy_labels};

int read_npy(const char *files, bool mapped, dataset *data)
{
    return read_list(&npy, files, mapped, data);
}

/* ---- Fashion-MNIST ---- */

static const pair_format fashion_mnist = {"fashion-mnist", "", "", true, idx_features, idx_labels};

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
    data->c = FASHION_MNIST_CLASSES;
    data->class_names = classes;
    if (code == EXIT_OK)
        code = read_files(&fashion_mnist, (const char *const *)paths, mapped, data);
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    return code;
}
