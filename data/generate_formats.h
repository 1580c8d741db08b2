/* SPDX-License-Identifier: MIT
 *
 * How made samples are written, one description per format: files, their headers, a sample. */
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
    const uint8_t *u8; /* one of the two */
    const float *f32;
    int32_t label;
} generate_sample;

/* Writers return false where errno says why not; y is NULL where labels have no file of their own. */
typedef struct generate_format {
    const char *word;
    bool bytes_only;
    size_t features, classes; /* the only number that it takes, or 0 */
    size_t classes_max;
    bool
        directory; /* the output is a directory that --data names, or a prefix of files that it does */
    size_t n_train_parts;
    const char
        *parts[GENERATE_TRAIN_PARTS_MAX + 1][2]; /* names of x and y, those of the test last */
    bool (*head)(FILE *x, FILE *y, generate_shape shape); /* or NULL */
    bool (*put)(FILE *x, FILE *y, generate_shape shape, generate_sample sample);
} generate_format;

/* In the order of GENERATE_FORMATS. */
extern const generate_format generate_formats[];

#define GENERATE_FORMATS "idx|npy|libsvm|cifar10|cifar100"

/* The header of an array; columns == 0: it has one dimension. */
bool generate_npy_head(FILE *file, char kind, size_t element_bytes, size_t rows, size_t columns);

#endif
