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

/* Where an array is: a file of its own, where entry is NULL, or an array of an NPZ file. */
typedef struct npy_place {
    const char *path, *entry;
} npy_place;

/* Reads features: numbers of 1 to NPY_DIMENSIONS_MAX dimensions, the first of which counts samples; the others are
 * flattened in C order. uint8 remains bytes, all else becomes f32, with a note in *data if values were rounded. Values must
 * be finite in f32, so that mapped features are read once, however large. `mapped`: the elements are left in the file; only
 * uint8 and little-endian float32 in C order. The file must be as large as its header says; memory grows with what it
 * holds. Returns EXIT_OK, or prints a line that names file, place and reason, and returns EXIT_DATA or EXIT_INTERNAL, with
 * *a empty. */
int npy_features(npy_place place, bool mapped, dataset *data, array *a);

/* Reads labels, one per sample: integers, whole reals, bool, or text. Returns as npy_features(). */
int npy_labels(npy_place place, labels *l);

/* For both: opens a place and reads the header. Returns EXIT_OK with the stream at the first element, or prints a line and
 * returns an exit code with nothing open. Without dimensions, or with one of 0, an array is refused. */
int npy_open(npy_place place, stream *s, npy_header *h);

enum { NPY_ADVICE = 4352 };

/* The line of NumPy that makes a file that can be read: "np.save('new.npy', np.load(PLACE)CHANGE)". */
void npy_advice(npy_place place, const char *change, char line[NPY_ADVICE]);

/* Adds text around the array: "np.save('new.npy', BEFOREnp.load(PLACE)AFTER)". */
void npy_advice_around(npy_place place, const char *before, const char *after,
                       char line[NPY_ADVICE]);

#endif
