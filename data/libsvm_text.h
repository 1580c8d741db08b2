/* SPDX-License-Identifier: MIT
 *
 * The text format of LIBSVM and SVMlight: one sample per line,
 * "LABEL INDEX:VALUE INDEX:VALUE ... # comment". */
#ifndef DOWNHILL_DATA_LIBSVM_TEXT_H
#define DOWNHILL_DATA_LIBSVM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct libsvm_entry {
    uint32_t feature; /* from 0: the index in the file minus 1 */
    float value;
} libsvm_entry;

typedef struct libsvm_row {
    int64_t label; /* as in the file */
    size_t line;   /* its line number, from 1 */
    size_t end;    /* index after its last entry */
} libsvm_row;

/* The entries that the file holds; all other features are 0. */
typedef struct libsvm_text {
    size_t n_rows, d; /* d: maximum index */
    bool labelled;    /* all lines begin with a label; else none does */
    libsvm_row *rows;
    libsvm_entry *entries;
    /* entries other than 0: those that became 0 in f32, and all of them */
    size_t vanished, nonzero;
    size_t rows_room, entries_room;
} libsvm_text;

/* Reads a file, raw or gzip; with `labels_optional` also one without labels. Labels are integers of
 * up to ±2⁵³ ("+1", "-1", "1.0"), indices ascend from 1 to DATASET_FEATURES_MAX, values are finite
 * f32. Blank lines and comments are skipped. Returns EXIT_OK, or prints a line FILE:LINE:COLUMN and
 * returns EXIT_DATA or EXIT_INTERNAL; then *t is empty. Uses 8 bytes per entry. */
int libsvm_read(const char *path, bool labels_optional, libsvm_text *t);
void libsvm_free(libsvm_text *t);

#endif
