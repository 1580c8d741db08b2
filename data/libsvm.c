/* SPDX-License-Identifier: MIT
 *
 * Data sets in the text format of LIBSVM, as f32. Their labels become classes in ascending order, called by the integer
 * that the label is. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "libsvm_text.h"
#include "readers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(const char *path)
{
    error_line("%s: out of memory", path);
    return EXIT_INTERNAL;
}

/* ---- classes ---- */

static int compare_labels(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All labels of a file, ascending, each once; to be freed. */
static int collect_labels(const char *path, const libsvm_text *t, int64_t **labels, size_t *count)
{
    int64_t *all = memory_new(t->n_rows, sizeof *all);
    if ((*labels = all) == NULL)
        return out_of_memory(path);
    for (size_t i = 0; i < t->n_rows; i++)
        all[i] = t->rows[i].label;
    qsort(all, t->n_rows, sizeof *all, compare_labels);
    *count = 0;
    for (size_t i = 0; i < t->n_rows; i++)
        if (i == 0 || all[i] != all[i - 1])
            all[(*count)++] = all[i];
    if (*count <= DATASET_CLASSES_MAX)
        return EXIT_OK;
    error_line("%s: %zu different labels, of at most %d classes; are they values of a regression?",
               path, *count, DATASET_CLASSES_MAX);
    return EXIT_DATA;
}

static int name_classes(const char *path, const int64_t *labels, size_t count, dataset *data)
{
    data->c = count;
    data->own_names = calloc(count + 1, sizeof *data->own_names);
    if (data->own_names == NULL)
        return out_of_memory(path);
    for (size_t j = 0; j < count; j++)
        if (asprintf(&data->own_names[j], "%" PRId64, labels[j]) < 0) {
            data->own_names[j] = NULL;
            return out_of_memory(path);
        }
    data->class_names = (const char *const *)data->own_names;
    return EXIT_OK;
}

/* Of a class of few samples all may be among those that are held out. */
static void warn_of_untrained_classes(const char *path, const dataset *data)
{
    bool *seen = calloc(data->c, sizeof *seen);
    if (seen == NULL) {
        warning_line("%s: out of memory to look for classes without a sample", path);
        return;
    }
    size_t missing = data->c, first = 0;
    for (size_t i = 0; i < data->train.n; i++) {
        bool *of_class = &seen[samples_label(&data->train, i)];
        missing -= !*of_class;
        *of_class = true;
    }
    while (first < data->c && seen[first])
        first++;
    free(seen);
    if (missing > 0)
        warning_line("%s: %zu of the %zu classes, '%s' the first, have samples only among those "
                     "that are held out; name a test file, and nothing is",
                     path, missing, data->c, data->class_names[first]);
}

/* ---- features ---- */

static int make_matrix(const char *path, const libsvm_text *t, size_t d, const int64_t *labels,
                       size_t count, matrix *x)
{
    if (d == 0) {
        error_line("%s: no feature in any line; name a file of lines LABEL INDEX:VALUE ...", path);
        return EXIT_DATA;
    }
    if (t->n_rows > PTRDIFF_MAX / sizeof(float) / d ||
        t->n_rows * d * sizeof(float) > memory_available("") || !matrix_new_f32(t->n_rows, d, x)) {
        error_line("%s: out of memory for %zu x %zu features as f32, zeros included; take fewer "
                   "samples or features",
                   path, t->n_rows, d);
        return EXIT_INTERNAL;
    }
    float *row = x->memory;
    size_t e = 0, left_out = 0;
    for (size_t i = 0; i < t->n_rows; i++, row += d) {
        for (; e < t->rows[i].end; e++)
            if (t->entries[e].feature < d)
                row[t->entries[e].feature] = t->entries[e].value;
            else
                left_out++;
        x->y[i] = (int32_t)libsvm_find_label(labels, count, t->rows[i].label);
    }
    /* As LIBSVM's own programs do it: a feature that no sample to learn from had has no weight. */
    if (left_out > 0)
        warning_line("%s: %zu of %zu values are of features beyond number %zu, which have no "
                     "weight; they are left out",
                     path, left_out, e, d);
    return EXIT_OK;
}

/* ---- files ---- */

static int read_test(const char *path, const libsvm_limits *limits, dataset *data)
{
    libsvm_text t;
    int code = libsvm_read(path, limits, &t);
    if (code != EXIT_OK)
        return code;
    matrix *x = &data->stored[1];
    code = make_matrix(path, &t, data->stored[0].d, limits->labels, limits->n_labels, x);
    libsvm_free(&t);
    data->test_note = "test file";
    return code == EXIT_OK ? dataset_take_all(data, 1, x->rows) : code;
}

static int read_train(const char *path, bool has_test, libsvm_limits *limits, int64_t **labels,
                      dataset *data)
{
    libsvm_text t;
    int code = libsvm_read(path, NULL, &t);
    if (code != EXIT_OK)
        return code;
    matrix *x = &data->stored[0];
    *limits = (libsvm_limits){.path = path};
    code = collect_labels(path, &t, labels, &limits->n_labels);
    limits->labels = *labels;
    if (code == EXIT_OK)
        code = name_classes(path, *labels, limits->n_labels, data);
    if (code == EXIT_OK)
        code = make_matrix(path, &t, data->use.d > 0 ? data->use.d : t.d, *labels, limits->n_labels,
                           x);
    libsvm_free(&t);
    if (code != EXIT_OK || has_test)
        return code == EXIT_OK ? dataset_take_all(data, 0, x->rows) : code;
    code = dataset_take_with_held_out(path, data, x->rows);
    if (code == EXIT_OK)
        warn_of_untrained_classes(path, data);
    return code;
}

static int read_both(const char *train, const char *test, dataset *data)
{
    libsvm_limits limits;
    int64_t *labels = NULL;
    int code = read_train(train, test != NULL, &limits, &labels, data);
    if (code == EXIT_OK && test != NULL)
        code = read_test(test, &limits, data);
    free(labels);
    return code;
}

int read_libsvm(const char *files, bool mapped, dataset *data)
{
    if (mapped) {
        error_line("--mmap: libsvm:%s is text, which cannot be mapped; leave --mmap out", files);
        return EXIT_USAGE;
    }
    char *train = strdup(files);
    if (train == NULL)
        return out_of_memory("--data");
    char *test = strchr(train, ',');
    if (test != NULL)
        *test++ = '\0';
    int code;
    if (train[0] == '\0' || (test != NULL && (test[0] == '\0' || strchr(test, ',') != NULL))) {
        error_line("--data: 'libsvm:%s' does not name one file or two; give libsvm:FILE or "
                   "libsvm:FILE,TEST_FILE",
                   files);
        code = EXIT_USAGE;
    } else {
        code = read_both(train, test, data);
    }
    free(train);
    return code;
}
