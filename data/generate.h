/* SPDX-License-Identifier: MIT
 *
 * Writes synthetic data sets (synthetic.h) in the formats that --data reads, and the classifier
 * that labels them. */
#ifndef DOWNHILL_DATA_GENERATE_H
#define DOWNHILL_DATA_GENERATE_H

#include "generate_formats.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct generate_options {
    const generate_format *format;
    size_t samples, test_samples; /* test_samples 0: no test files */
    size_t features, classes;
    bool bytes; /* or f32 */
    double noise;
    uint64_t seed;
    /* a prefix of file names, or a directory, which is created if it does not exist */
    const char *output;
    const volatile sig_atomic_t *stop; /* if not 0: stop and leave no files */
    bool progress;                     /* show progress on stderr */
} generate_options;

enum { GENERATE_FILES_MAX = 2 * (GENERATE_TRAIN_PARTS_MAX + 1) + 2 };

typedef struct generated {
    size_t n_files;
    char *files[GENERATE_FILES_MAX]; /* W and b last, as NPY: c × d and c, in f32 */
    char *spec;                      /* for --data */
    size_t noisy[2];                 /* number of wrong labels in the training and the test set */
} generated;

/* Generates and writes the samples one by one, so that a set may be larger than memory. Publishes
 * all files or none. Returns EXIT_OK (with n_files = 0 if it was stopped), or prints a line and
 * returns EXIT_USAGE or EXIT_INTERNAL with *result empty. */
int generate(const generate_options *options, generated *result);
void generated_free(generated *g);

#endif
