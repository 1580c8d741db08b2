/* SPDX-License-Identifier: MIT
 *
 * The text format of LIBSVM and SVMlight: a sample a line, "LABEL INDEX:VALUE INDEX:VALUE ... # comment". */
#ifndef DOWNHILL_DATA_LIBSVM_TEXT_H
#define DOWNHILL_DATA_LIBSVM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct libsvm_entry {
    uint32_t feature; /* from 0: one less than its index in the file */
    float value;
} libsvm_entry;

typedef struct libsvm_row {
    int64_t label; /* as it is in the file */
    size_t line;   /* where that is, from 1 */
    size_t end;    /* its entries end before this one */
} libsvm_row;

/* The values that the file holds; all others are 0. */
typedef struct libsvm_text {
    size_t n_rows, d; /* d: the largest index */
    bool labelled;    /* the lines begin with labels: all of them or none */
    libsvm_row *rows;
    libsvm_entry *entries;
    size_t vanished, nonzero; /* values other than 0: those that are 0 in f32, and all */
    size_t rows_room, entries_room;
} libsvm_text;

/* Reads a file, raw or gzip; where `labels_optional` also one without labels. Labels are integers of up to ±2⁵³ ("+1", "-1",
 * "1.0"), indices ascend from 1 to DATASET_FEATURES_MAX, values are finite f32. Blank lines and comments are
 * passed over. Returns EXIT_OK, or prints a line FILE:LINE:COLUMN and returns EXIT_DATA or EXIT_INTERNAL; then *t is
 * empty. Takes 8 bytes for each entry. */
int libsvm_read(const char *path, bool labels_optional, libsvm_text *t);
void libsvm_free(libsvm_text *t);

#endif
