/* SPDX-License-Identifier: MIT
 *
 * Prints and writes the results of downhill predict. */
#ifndef DOWNHILL_CLI_PREDICT_RESULTS_H
#define DOWNHILL_CLI_PREDICT_RESULTS_H

#include "task.h"
#include "train/model_file.h"

/* In the order of the choices of --set. */
enum predict_set { PREDICT_TEST, PREDICT_TRAIN, PREDICT_ALL };

typedef struct predict_config {
    task_config task;
    const char *model, *csv;
    int set; /* enum predict_set, or TASK_AUTOMATIC */
    bool scores;
} predict_config;

/* Samples of one file, in its order. */
typedef struct predict_part {
    samples of;
    bool numbered_by_row; /* a sample's number is its row; otherwise its index in `of` */
    bool all_test;        /* all are test samples */
    const bool *held_out; /* per row: it is a test sample. NULL: see all_test */
} predict_part;

enum { PREDICT_PARTS_MAX = 2 };

typedef struct predict_session {
    const predict_config *config;
    task task;
    model_file from;
    enum predict_set set; /* the samples that are scored */
    const char *why;      /* reason for that set; "" if the user chose it */
    bool trained_here;    /* the model was trained on the training samples of this data */
    predict_part parts[PREDICT_PARTS_MAX];
    size_t n_parts;
    bool *held_out; /* owner of parts[0].held_out */
    size_t n, c;    /* samples, classes */
    bool labelled;  /* all scored samples have labels */
    double *scores; /* of one block; with --scores, of all samples */
    int32_t *predicted;
    size_t *counts;    /* c: samples predicted as each class */
    size_t *confusion; /* c × c, a row per label, a column per prediction */
    size_t right;      /* samples predicted correctly */
} predict_session;

void predict_print(const predict_session *s);
json_t *predict_to_json(const predict_session *s);

/* Writes --csv. Returns an exit code. */
int predict_write_csv(const predict_session *s);

#endif
