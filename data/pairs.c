/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "pairs.h"
#include "base/error.h"
#include "base/memory.h"
#include "idx.h"
#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Installation directory of Debian's dataset-fashion-mnist. */
#define FASHION_MNIST_DIRECTORY "/usr/share/datasets/fashion-mnist"

enum { FASHION_MNIST_CLASSES = 10 };

/* The name of an array for messages, truncated if it is very long. */
struct name {
    char text[512];
};

static struct name name_of(npy_place place)
{
    struct name name;
    const bool entry = place.entry != NULL;
    snprintf(name.text, sizeof name.text, "%s%s%s", place.path, entry ? ": " : "",
             entry ? place.entry : "");
    return name;
}

/* Moves the elements to the matrix. */
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

/* Checks that features and labels match, and combines them. */
static int join(const pair_format *format, const npy_place parts[2], array *features,
                const labels *l, int set, dataset *data)
{
    matrix *x = &data->stored[set];
    const struct name names[2] = {name_of(parts[0]), name_of(parts[1])};
    const bool labelled = parts[1].path != NULL;
    if (labelled && features->rows != l->n) {
        error_line("%s: %zu labels, but %s has %zu samples; name files that belong together",
                   names[1].text, l->n, names[0].text, features->rows);
        return EXIT_DATA;
    }
    if (!take_features(features, x)) {
        error_line("%s: out of memory for %zu labels", names[0].text, x->rows);
        return EXIT_INTERNAL;
    }
    if (!labelled) {
        labels_absent(set, data);
        return EXIT_OK;
    }
    return format->numbered ? labels_classify_numbered(names[1].text, l, set, data)
                            : labels_classify(names[1].text, l, set, data);
}

static int read_pair(const pair_format *format, const npy_place parts[2], bool mapped, int set,
                     dataset *data)
{
    array features = {0};
    labels l = {0};
    int code = format->read_features(parts[0], mapped, data, &features);
    if (code == EXIT_OK && parts[1].path != NULL)
        code = format->read_labels(parts[1], &l);
    if (code == EXIT_OK)
        code = join(format, parts, &features, &l, set, data);
    array_free(&features);
    labels_free(&l);
    return code;
}

static int demand_alike(const npy_place parts[PAIR_PARTS], const matrix *train, const matrix *test)
{
    if (test->d == train->d && !test->u8 == !train->u8)
        return EXIT_OK;
    error_line("%s: %zu features of %s, but %s has %zu of %s; name files that belong together",
               name_of(parts[PAIR_TEST_FEATURES]).text, test->d, test->u8 ? "bytes" : "f32",
               name_of(parts[PAIR_FEATURES]).text, train->d, train->u8 ? "bytes" : "f32");
    return EXIT_DATA;
}

bool pairs_may_be(size_t count, const dataset *data)
{
    const bool paired = count % 2 == 0 || data->use.labels_optional;
    return count > 0 && count <= PAIR_PARTS && paired;
}

int pairs_read(const pair_format *format, const npy_place parts[PAIR_PARTS], bool mapped,
               dataset *data)
{
    matrix *train = &data->stored[0], *test = &data->stored[1];
    int code = read_pair(format, parts, mapped, 0, data);
    if (code != EXIT_OK)
        return code;
    if (parts[PAIR_TEST_FEATURES].path == NULL)
        return dataset_take_with_held_out(name_of(parts[0]).text, data, train->rows);
    data->test_note = "test files";
    code = dataset_take_all(data, 0, train->rows);
    if (code == EXIT_OK)
        code = read_pair(format, parts + PAIR_TEST_FEATURES, mapped, 1, data);
    if (code == EXIT_OK)
        code = dataset_take_all(data, 1, test->rows);
    return code == EXIT_OK ? demand_alike(parts, train, test) : code;
}

static int read_list(const pair_format *format, const char *list, bool mapped, dataset *data)
{
    char *copy = strdup(list);
    if (copy == NULL) {
        error_line("--data: out of memory");
        return EXIT_INTERNAL;
    }
    npy_place files[PAIR_PARTS] = {{0}};
    size_t count = 0;
    char *rest = copy;
    bool empty = false;
    for (const char *file; (file = strsep(&rest, ",")) != NULL; count++) {
        empty = empty || file[0] == '\0';
        if (count < PAIR_PARTS)
            files[count].path = file;
    }
    int code;
    if (empty) {
        error_line("--data: '%s:%s' has an empty file name; give %s:%s,%s", format->word, list,
                   format->word, format->features, format->labels);
        code = EXIT_USAGE;
    } else if (!pairs_may_be(count, data)) {
        error_line("--data: '%s:%s' names %zu file%s; give %s:%s,%s or %s:%s,%s,TEST_%s,TEST_%s",
                   format->word, list, count, count == 1 ? "" : "s", format->word, format->features,
                   format->labels, format->word, format->features, format->labels, format->features,
                   format->labels);
        code = EXIT_USAGE;
    } else {
        code = pairs_read(format, files, mapped, data);
    }
    free(copy);
    return code;
}

/* ---- IDX ---- */

static int idx_features(npy_place place, bool mapped, dataset *data, array *a)
{
    (void)data;
    return mapped ? idx_map(place.path, 2, 4, a) : idx_read(place.path, 2, 4, a);
}

static int idx_labels(npy_place place, labels *l)
{
    array a;
    const int code = idx_read(place.path, 1, 1, &a);
    if (code != EXIT_OK)
        return code;
    *l = (labels){.n = a.rows, .numbers = memory_new(a.rows, sizeof *l->numbers)};
    for (size_t i = 0; i < a.rows && l->numbers != NULL; i++)
        l->numbers[i] = ((const uint8_t *)a.elements)[i];
    array_free(&a);
    if (l->numbers != NULL)
        return EXIT_OK;
    error_line("%s: out of memory for %zu labels", place.path, l->n);
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
    const npy_place parts[PAIR_PARTS] = {
        {.path = paths[0]}, {.path = paths[1]}, {.path = paths[2]}, {.path = paths[3]}};
    if (code == EXIT_OK)
        code = pairs_read(&fashion_mnist, parts, mapped, data);
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    return code;
}
