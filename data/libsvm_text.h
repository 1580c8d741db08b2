/* SPDX-License-Identifier: MIT
 *
 * The text format of LIBSVM and SVMlight: a sample a line, "LABEL INDEX:VALUE INDEX:VALUE ... # comment". */
#ifndef DOWNHILL_DATA_LIBSVM_TEXT_H
#define DOWNHILL_DATA_LIBSVM_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct libsvm_entry {
    uint32_t feature; /* from 0: one less than its index in the file */
    float value;
} libsvm_entry;

typedef struct libsvm_row {
    int64_t label; /* as it is in the file */
    size_t end;    /* its entries end before this one */
} libsvm_row;

/* Only what is written: other features are 0. */
typedef struct libsvm_text {
    size_t n_rows, d; /* d: the largest index */
    libsvm_row *rows;
    libsvm_entry *entries;
    size_t rows_room, entries_room;
} libsvm_text;

/* What a test file must keep to. */
typedef struct libsvm_limits {
    const char *path;      /* of the training file */
    const int64_t *labels; /* all that it has, ascending */
    size_t n_labels;
} libsvm_limits;

/* Reads a file, raw or gzip; `limits` is NULL for a training file. Labels are integers of up to ±2⁵³ ("+1", "-1",
 * "1.0"), indices ascend from 1 to DATASET_FEATURES_MAX, values are finite f32. Blank lines and comments are
 * passed over. Returns EXIT_OK, or prints a line FILE:LINE:COLUMN and returns EXIT_DATA or EXIT_INTERNAL; then *t is
 * empty. Takes 8 bytes for each entry. */
int libsvm_read(const char *path, const libsvm_limits *limits, libsvm_text *t);
void libsvm_free(libsvm_text *t);

/* The place of a label among `count` that ascend, or `count`: it is not there. */
size_t libsvm_find_label(const int64_t *labels, size_t count, int64_t label);

#endif
