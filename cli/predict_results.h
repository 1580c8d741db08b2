/* SPDX-License-Identifier: MIT
 *
 * Results of downhill predict: printing and writing them. */
#ifndef DOWNHILL_CLI_PREDICT_RESULTS_H
#define DOWNHILL_CLI_PREDICT_RESULTS_H

#include "task.h"
#include "train/model_file.h"

/* In the order of the words of --set, "all" being both. */
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
    bool numbered_by_row; /* else a sample's number in the file is its place in `of` */
    bool all_test;
    const bool *held_out; /* by row: is it a test sample? NULL: none but all_test */
} predict_part;

enum { PREDICT_PARTS_MAX = 2 };

typedef struct predict_session {
    const predict_config *config;
    task task;
    model_file from;
    enum predict_set set; /* that was scored */
    const char *why;      /* that one: "" where the user named it */
    bool trained_here;    /* the model was trained on the training samples of this data */
    predict_part parts[PREDICT_PARTS_MAX];
    size_t n_parts;
    bool *held_out; /* to be freed */
    size_t n, c;    /* samples, classes */
    bool labelled;  /* all samples that are scored */
    double *scores; /* of a block, or of all with --scores */
    int32_t *predicted;
    size_t *counts;    /* c: samples that were predicted as each class */
    size_t *confusion; /* c × c: label, prediction; of labelled data */
    size_t right;
} predict_session;

void predict_print(const predict_session *s);
json_t *predict_to_json(const predict_session *s);

/* Writes --csv. Returns an exit code. */
int predict_write_csv(const predict_session *s);

#endif
