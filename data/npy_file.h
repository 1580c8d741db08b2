/* SPDX-License-Identifier: MIT
 *
 * Features and labels in NPY files, raw or gzip, and in the NPY entries of NPZ files. */
#ifndef DOWNHILL_DATA_NPY_FILE_H
#define DOWNHILL_DATA_NPY_FILE_H

#include "array.h"
#include "labels.h"
#include "npy.h"
#include "stream.h"

#include <stdbool.h>

/* Location of an array: an NPY file if entry is NULL, else an entry of an NPZ file. */
typedef struct npy_place {
    const char *path, *entry;
} npy_place;

/* Reads features: numbers of 1 to NPY_DIMENSIONS_MAX dimensions, the first of which counts samples;
 * the others are flattened in C order. uint8 stays as it is; all other types become f32, with a
 * note in *data if values were rounded. Values must be finite in f32, so even mapped features are
 * read once. With `mapped` the elements stay in the file, which must hold uint8 or little-endian
 * float32 in C order. The file size must match the header; memory grows with the bytes read.
 * Returns EXIT_OK, or prints a line that names file, place and reason and returns EXIT_DATA or
 * EXIT_INTERNAL, with *a empty. */
int npy_features(npy_place place, bool mapped, dataset *data, array *a);

/* Reads labels, one per sample: integers, whole reals, bool, or text. Returns as npy_features(). */
int npy_labels(npy_place place, labels *l);

/* Opens an array and reads its header, for npy_features() and npy_labels(). Returns EXIT_OK with
 * the stream at the first element, or prints a line and returns an exit code with nothing open.
 * Arrays without dimensions or elements are refused. */
int npy_open(npy_place place, stream *s, npy_header *h);

enum { NPY_ADVICE = 4352 };

/* Writes the NumPy command that makes a readable file:
 * "np.save('new.npy', np.load(PLACE)CHANGE)". */
void npy_advice(npy_place place, const char *change, char line[NPY_ADVICE]);

/* Writes such a command with text before and after the array:
 * "np.save('new.npy', BEFOREnp.load(PLACE)AFTER)". */
void npy_advice_around(npy_place place, const char *before, const char *after,
                       char line[NPY_ADVICE]);

#endif
