/* SPDX-License-Identifier: MIT
 *
 * Readers of data sets, one function per format of --data, and the functions they share. */
#ifndef DOWNHILL_DATA_READERS_H
#define DOWNHILL_DATA_READERS_H

#include "array.h"
#include "dataset.h"

#include <stdbool.h>

/* Sets the samples, classes and names of *data from the operands after the format. Returns EXIT_OK,
 * or prints a line and returns an exit code; the caller closes *data either way. */
typedef int dataset_reader(const char *files, bool mapped, dataset *data);

dataset_reader read_fashion_mnist; /* "" */
dataset_reader read_idx;           /* IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS] */
dataset_reader read_npy;           /* X.npy,Y.npy[,TEST_X.npy,TEST_Y.npy] */
dataset_reader read_npz;           /* FILE[,X,Y[,TEST_X,TEST_Y]] */
dataset_reader read_libsvm;        /* FILE[,TEST_FILE] */
dataset_reader read_cifar10;       /* DIRECTORY */
dataset_reader read_cifar100;      /* DIRECTORY */

/* Makes rows 0 … n-1 of data->stored[set] the training (0) or test set (1). */
int dataset_take_all(dataset *data, int set, size_t n);

/* Divides rows 0 … n-1 of data->stored[0] into the training set and the test set, a sixth of the
 * rows drawn at random. */
int dataset_take_with_held_out(const char *path, dataset *data, size_t n);

/* Adds a note. Returns false if memory is short. */
__attribute__((format(printf, 2, 3))) bool dataset_note(dataset *data, const char *format, ...);

/* Reports that `vanished` (at least 1) of `nonzero` features other than 0 became 0 in f32. Returns
 * EXIT_OK after a warning, or, if all did, EXIT_DATA after an error. `remedy` ends the line. */
int dataset_judge_zeros(const char *path, size_t vanished, size_t nonzero, const char *remedy);

#endif
