/* SPDX-License-Identifier: MIT
 *
 * Labels as a file has them, and the classes that they become: the different labels in ascending order. */
#ifndef DOWNHILL_DATA_LABELS_H
#define DOWNHILL_DATA_LABELS_H

#include "dataset.h"

/* n labels, which are either numbers or texts. */
typedef struct labels {
    size_t n;
    int64_t *numbers;
    char *texts; /* n × width bytes: UTF-8, each with a NUL at its end */
    size_t width;
    size_t *lines; /* the line of each label in its file, from 1; NULL: not a file of lines */
} labels;

void labels_free(labels *l);

/* Gives the rows of data->stored[set] their classes. The training set (0) defines the classes, unless data->use names
 * those of a model; the test set (1) must keep to them. `path` is for messages. Returns EXIT_OK, or prints a line and
 * returns EXIT_DATA or EXIT_INTERNAL. */
int labels_classify(const char *path, const labels *l, int set, dataset *data);

/* Maps labels of a set whose classes are the numbers below data->c. */
int labels_classify_numbered(const char *path, const labels *l, int set, dataset *data);

/* Marks every row of data->stored[set] as unlabelled; data->use must allow that and name the classes. */
void labels_absent(int set, dataset *data);

#endif
