/* SPDX-License-Identifier: MIT
 *
 * The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): records of one or two label bytes
 * and 3072 bytes of a picture, its red plane, its green one, its blue one. */
#ifndef DOWNHILL_TRAIN_CIFAR_H
#define DOWNHILL_TRAIN_CIFAR_H

#include "dataset.h"

typedef enum cifar_kind {
    CIFAR_10, /* data_batch_1.bin … data_batch_5.bin, test_batch.bin */
    CIFAR_100 /* train.bin, test.bin; the fine labels */
} cifar_kind;

/* Reads, or maps, the files of a directory into data->train and data->test and sets data->c. Returns EXIT_OK, or
 * prints a line and returns EXIT_DATA or EXIT_INTERNAL, with what was read to be freed. */
int cifar_read(const char *directory, cifar_kind kind, bool mapped, dataset *data);

#endif
