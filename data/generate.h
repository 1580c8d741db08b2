/* SPDX-License-Identifier: MIT
 *
 * Writes sets of made samples (synthetic.h) in the formats that --data reads, and the classifier that labels them. */
#ifndef DOWNHILL_DATA_GENERATE_H
#define DOWNHILL_DATA_GENERATE_H

#include "generate_formats.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct generate_options {
    const generate_format *format;
    size_t samples, test_samples; /* of the test: 0: no test files */
    size_t features, classes;
    bool bytes; /* or f32 */
    double noise;
    uint64_t seed;
    const char
        *output; /* a prefix of file names, or a directory, which is made if it is not there */
    const volatile sig_atomic_t *stop; /* not 0: stop, and leave nothing */
    bool progress;                     /* how far it is, on stderr */
} generate_options;

enum { GENERATE_FILES_MAX = 2 * (GENERATE_TRAIN_PARTS_MAX + 1) + 2 };

typedef struct generated {
    size_t n_files;
    char *files[GENERATE_FILES_MAX]; /* W and b last, as NPY: c × d, and c, in f32 */
    char *spec;                      /* for --data */
    size_t noisy[2];                 /* labels of training and test that are wrong on purpose */
} generated;

/* Samples are made and written one by one, so that a set may be larger than memory. Files appear together or not at
 * all. Returns EXIT_OK (also if it was stopped: then n_files is 0), or prints a line and returns EXIT_USAGE or
 * EXIT_INTERNAL with *result empty. */
int generate(const generate_options *options, generated *result);
void generated_free(generated *g);

#endif
