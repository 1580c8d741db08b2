/* SPDX-License-Identifier: MIT
 *
 * Features and labels in NPY files, raw or gzip, as numpy.save() writes them: little-endian, in the order of C. */
#ifndef DOWNHILL_DATA_NPY_FILE_H
#define DOWNHILL_DATA_NPY_FILE_H

#include "array.h"
#include "labels.h"

#include <stdbool.h>

/* Features: u8 or f32, of 1 to NPY_DIMENSIONS_MAX dimensions, the first of which counts samples. f32 must be finite,
 * which is looked at here; so also mapped features are read once, however large. Returns EXIT_OK, or prints a
 * line that names file, place and reason, and returns EXIT_DATA or EXIT_INTERNAL, with *a empty. The file must be as
 * large as its header says; memory grows with what it holds. `mapped`: the elements are left in the file, which must
 * not be compressed. */
int npy_features(const char *path, bool mapped, array *a);

/* Labels: integers of any width, one dimension. The same otherwise. */
int npy_labels(const char *path, labels *l);

#endif
