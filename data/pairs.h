/* SPDX-License-Identifier: MIT
 *
 * Data sets whose features are one array and whose labels are another. */
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

/* Returns whether so many arrays are features and labels, and those for testing; labels may be missing at the end where they are
 * optional. */
bool pairs_may_be(size_t count, const dataset *data);

/* Reads features and labels, and those for testing where the path of the test features is not NULL. The path of labels is
 * NULL for an unlabelled set. Returns as a dataset_reader. */
int pairs_read(const pair_format *format, const npy_place parts[PAIR_PARTS], bool mapped,
               dataset *data);

#endif
