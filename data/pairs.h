/* SPDX-License-Identifier: MIT
 *
 * Reads data sets whose features are one array and whose labels are another. */
#ifndef DOWNHILL_DATA_PAIRS_H
#define DOWNHILL_DATA_PAIRS_H

#include "npy_file.h"

/* How the arrays of a format are read. */
typedef struct pair_format {
    const char *word, *features, *labels; /* for messages */
    bool numbered;                        /* the classes are the numbers below data->c */
    int (*read_features)(npy_place place, bool mapped, dataset *data, array *a);
    int (*read_labels)(npy_place place, labels *l);
} pair_format;

enum { PAIR_FEATURES, PAIR_LABELS, PAIR_TEST_FEATURES, PAIR_TEST_LABELS, PAIR_PARTS };

/* Returns whether `count` arrays can be features and labels, optionally followed by those of a test
 * set. If labels are optional, the last ones may be missing. */
bool pairs_may_be(size_t count, const dataset *data);

/* Reads features and labels, and those of the test set unless the path of the test features is
 * NULL. The path of labels is NULL for an unlabelled set. Returns as a dataset_reader. */
int pairs_read(const pair_format *format, const npy_place parts[PAIR_PARTS], bool mapped,
               dataset *data);

#endif
