/* SPDX-License-Identifier: MIT
 *
 * Labelled samples of bytes, in memory or in files that are mapped. */
#ifndef DOWNHILL_TRAIN_DATASET_H
#define DOWNHILL_TRAIN_DATASET_H

#include "mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sample i is row i of x, or, where files are mapped, row rows[i]. */
typedef struct samples {
    size_t n, d;
    const uint8_t *x; /* x_rows × d, ldx apart */
    size_t ldx, x_rows;
    size_t *rows; /* NULL: rows 0 … n-1 */
    int32_t *y;   /* by row */
    void *memory; /* what x is in: to be freed, or NULL: mapped, or another's */
    mapping map;
} samples;

static inline size_t samples_row(const samples *s, size_t i)
{
    return s->rows != NULL ? s->rows[i] : i;
}

/* Room for n samples, to be filled at the address that is returned; NULL: no memory. */
uint8_t *samples_new(size_t n, size_t d, samples *s);

typedef struct dataset {
    char name[64];
    size_t c; /* classes: one more than the largest label */
    samples train, test;
    const char *test_note; /* where the test samples come from */
} dataset;

/* Reads what --data names: "fashion-mnist", where Debian's package puts it or in the directory
 * DOWNHILL_FASHION_MNIST, "idx:IMAGES,LABELS[,TEST_IMAGES,TEST_LABELS]", each raw or gzip, or
 * "cifar10:DIRECTORY" or "cifar100:DIRECTORY" with the files of their binary versions.
 * Without test files the last sixth of the samples is held out. Returns EXIT_OK, or prints a line
 * and returns EXIT_USAGE, EXIT_DATA or EXIT_INTERNAL. */
int dataset_open(const char *spec, dataset *data);

/* The same with the features left in their files and mapped; no gzip. */
int dataset_map(const char *spec, dataset *data);
void dataset_close(dataset *data);

#endif
