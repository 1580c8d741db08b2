/* SPDX-License-Identifier: MIT
 *
 * Labels as stored in a file, and their classes: the distinct labels in ascending order. */
#ifndef DOWNHILL_DATA_LABELS_H
#define DOWNHILL_DATA_LABELS_H

#include "dataset.h"

/* n labels, which are either numbers or texts. */
typedef struct labels {
    size_t n;
    int64_t *numbers;
    char *texts; /* n × width bytes: UTF-8, NUL-terminated */
    size_t width;
    size_t *lines; /* line number of each label, from 1; NULL if not a file of lines */
} labels;

void labels_free(labels *l);

/* Sets the classes of the rows of data->stored[set]. The training set (0) defines the classes,
 * unless data->use names those of a model; the test set (1) may have no others. `path` is for
 * messages. Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int labels_classify(const char *path, const labels *l, int set, dataset *data);

/* Sets the classes of a set whose labels must be numbers below data->c. */
int labels_classify_numbered(const char *path, const labels *l, int set, dataset *data);

/* Marks every row of data->stored[set] as unlabelled; data->use must allow that and name the
 * classes. */
void labels_absent(int set, dataset *data);

#endif
