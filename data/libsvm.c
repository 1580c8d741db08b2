/* SPDX-License-Identifier: MIT
 *
 * Reads data sets in the text format of LIBSVM, as f32. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "labels.h"
#include "libsvm_text.h"
#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(const char *path)
{
    error_line("%s: out of memory", path);
    return EXIT_INTERNAL;
}

/* ---- classes ---- */

static int take_labels(const char *path, const libsvm_text *t, int set, dataset *data)
{
    if (!t->labelled) {
        labels_absent(set, data);
        return EXIT_OK;
    }
    labels l = {.n = t->n_rows,
                .numbers = memory_new(t->n_rows, sizeof *l.numbers),
                .lines = memory_new(t->n_rows, sizeof *l.lines)};
    int code = l.numbers != NULL && l.lines != NULL ? EXIT_OK : out_of_memory(path);
    for (size_t i = 0; i < t->n_rows && code == EXIT_OK; i++) {
        l.numbers[i] = t->rows[i].label;
        l.lines[i] = t->rows[i].line;
    }
    if (code == EXIT_OK)
        code = labels_classify(path, &l, set, data);
    labels_free(&l);
    return code;
}

/* Warns of classes all of whose samples were held out for testing. */
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
        warning_line(
            "%s: all samples of %zu of the %zu classes ('%s' is the first) were held out for "
            "testing; name a test file to train on all samples",
            path, missing, data->c, data->class_names[first]);
}

/* ---- features ---- */

static int make_matrix(const char *path, const libsvm_text *t, size_t d, matrix *x)
{
    if (d == 0) {
        error_line("%s: no feature in any line; name a file of lines LABEL INDEX:VALUE ...", path);
        return EXIT_DATA;
    }
    if (t->n_rows > PTRDIFF_MAX / sizeof(float) / d ||
        t->n_rows * d * sizeof(float) > memory_available("") || !matrix_new_f32(t->n_rows, d, x)) {
        error_line("%s: out of memory for %zu x %zu features as f32, zeros included; use fewer "
                   "samples or features",
                   path, t->n_rows, d);
        return EXIT_INTERNAL;
    }
    float *row = x->memory;
    size_t e = 0, left_out = 0;
    for (size_t i = 0; i < t->n_rows; i++, row += d)
        for (; e < t->rows[i].end; e++)
            if (t->entries[e].feature < d)
                row[t->entries[e].feature] = t->entries[e].value;
            else
                left_out++;
    /* Like LIBSVM's own programs: a feature that no training sample has gets no weight. */
    if (left_out > 0)
        warning_line("%s: %zu of %zu values are of features above number %zu, the last one of the "
                     "training file or the model; they are ignored",
                     path, left_out, e, d);
    return EXIT_OK;
}

/* ---- files ---- */

static int read_file(const char *path, int set, size_t d, dataset *data)
{
    libsvm_text t;
    int code = libsvm_read(path, data->use.labels_optional, &t);
    if (code != EXIT_OK)
        return code;
    if (t.vanished > 0)
        code = dataset_judge_zeros(path, t.vanished, t.nonzero,
                                   "multiply the features of all files by the same number");
    if (code == EXIT_OK)
        code = make_matrix(path, &t, d > 0 ? d : t.d, &data->stored[set]);
    if (code == EXIT_OK)
        code = take_labels(path, &t, set, data);
    libsvm_free(&t);
    return code;
}

static int read_both(const char *train, const char *test, dataset *data)
{
    int code = read_file(train, 0, data->use.d, data);
    if (code != EXIT_OK)
        return code;
    if (test == NULL) {
        code = dataset_take_with_held_out(train, data, data->stored[0].rows);
        if (code == EXIT_OK && data->use.classes == NULL)
            warn_of_untrained_classes(train, data);
        return code;
    }
    data->test_note = "test file";
    code = dataset_take_all(data, 0, data->stored[0].rows);
    if (code == EXIT_OK)
        code = read_file(test, 1, data->stored[0].d, data);
    return code == EXIT_OK ? dataset_take_all(data, 1, data->stored[1].rows) : code;
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
