/* SPDX-License-Identifier: MIT
 *
 * Labelled samples of bytes in memory. */
#ifndef DOWNHILL_TRAIN_DATASET_H
#define DOWNHILL_TRAIN_DATASET_H

#include <stddef.h>
#include <stdint.h>

typedef struct samples {
    size_t n, d;
    uint8_t *x; /* n × d */
    int32_t *y; /* n labels */
} samples;

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
void dataset_close(dataset *data);

#endif
