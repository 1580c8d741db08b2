/* SPDX-License-Identifier: MIT
 *
 * Data sets, as named by --data. */
#ifndef DOWNHILL_DATA_DATASET_H
#define DOWNHILL_DATA_DATASET_H

#include "samples.h"

/* The limits of the kernels for bytes. */
enum { DATASET_CLASSES_MAX = 32768, DATASET_FEATURES_MAX = 1 << 20 };

/* Class of an unlabelled sample. */
enum { DATASET_NO_CLASS = -1 };

/* Purpose that a data set is opened for. */
typedef struct dataset_use {
    size_t d;   /* features of the model to be used; 0: none yet */
    bool whole; /* all samples will be used: too few to hold out a test set is not an error */
    /* Only with `classes`. The spec may omit files of labels, lines of LIBSVM may omit the label,
     * and if no label of a file is a class of the model, all its labels are ignored, with a
     * warning. */
    bool labels_optional;
    /* names of the classes of the model; must outlive the data set. NULL: no model yet */
    const char *const *classes;
    size_t n_classes;
} dataset_use;

typedef struct dataset {
    char name[64];
    size_t d, c; /* features; classes */
    dataset_use use;
    char source[160]; /* type and shape of the training features in their file, or "" */
    samples train, validation, test; /* validation: empty until it is split off */
    const char *test_note;           /* where the test samples come from */
    /* c names, or NULL: classes are named by their numbers; equal to use.classes if that is
     * given */
    const char *const *class_names;
    matrix stored[2]; /* rows of the training (0) and test samples (1) */
    char **own_names; /* class_names if the data set owns them; NULL-terminated */
    char **notes;     /* notes on how the files were read; NULL-terminated, or NULL if none */
} dataset;

/* Reads the data set that --data names. Without test files a sixth of the samples is held out as
 * the test set, drawn at random and always the same; fewer than 6 samples are refused. The struct
 * must not move while it is open. Returns EXIT_OK, or prints a line and returns EXIT_USAGE,
 * EXIT_DATA, EXIT_ENVIRONMENT or EXIT_INTERNAL. */
int dataset_open(const char *spec, dataset *data);

/* Opens a data set with its features mapped instead of read. Text, gzip and archives are
 * refused. */
int dataset_map(const char *spec, dataset *data);

/* Opens a data set, read or mapped, for a purpose. A sparse file (LIBSVM) gets the number of
 * features of the model: missing ones are 0, surplus ones are ignored with a warning. Labels are
 * matched with the classes of the model by name; an unknown label is an error unless labels are
 * optional. */
int dataset_open_for(const char *spec, bool mapped, dataset_use use, dataset *data);
void dataset_close(dataset *data);

enum { DATASET_NUMBER_TEXT = 24 };

/* Returns the name of a class, or its number, written to `number`. */
const char *dataset_class_name(const dataset *data, size_t j, char number[DATASET_NUMBER_TEXT]);

/* Prints the notes to stderr, one line each. */
void dataset_print_notes(const dataset *data);

/* Moves a share of the training samples, drawn at random, to the validation set. Returns EXIT_OK,
 * or prints a line and returns EXIT_USAGE (one of the sets would be empty) or EXIT_INTERNAL. */
int dataset_hold_out_validation(dataset *data, double share, uint64_t seed);

#endif
