/* SPDX-License-Identifier: MIT
 *
 * How synthetic samples are written: one description per format, with its files, headers and
 * samples. */
#ifndef DOWNHILL_DATA_GENERATE_FORMATS_H
#define DOWNHILL_DATA_GENERATE_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { GENERATE_TRAIN_PARTS_MAX = 5 };

typedef struct generate_shape {
    size_t n, d;
    bool bytes; /* or f32 */
} generate_shape;

typedef struct generate_sample {
    const uint8_t *u8; /* one of u8 and f32 */
    const float *f32;
    int32_t label;
} generate_sample;

/* An output format. head() and put() return false and set errno if a write failed; y is NULL if
 * labels have no file of their own. */
typedef struct generate_format {
    const char *word;
    bool bytes_only;
    size_t features, classes; /* the only number allowed, or 0: any */
    size_t classes_max;
    /* --output is a directory, which --data names; else a prefix of file names */
    bool directory;
    size_t n_train_parts;
    /* names of the x and y files; those of the test set last */
    const char *parts[GENERATE_TRAIN_PARTS_MAX + 1][2];
    bool (*head)(FILE *x, FILE *y, generate_shape shape); /* writes the headers; may be NULL */
    bool (*put)(FILE *x, FILE *y, generate_shape shape, generate_sample sample);
} generate_format;

/* In the order of GENERATE_FORMATS. */
extern const generate_format generate_formats[];

#define GENERATE_FORMATS "idx|npy|libsvm|cifar10|cifar100"

/* Writes the header of an array; columns 0: it has one dimension. */
bool generate_npy_head(FILE *file, char kind, size_t element_bytes, size_t rows, size_t columns);

#endif
