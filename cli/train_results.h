/* SPDX-License-Identifier: MIT
 *
 * What comes of downhill train, and how that is shown and written. */
#ifndef DOWNHILL_CLI_TRAIN_RESULTS_H
#define DOWNHILL_CLI_TRAIN_RESULTS_H

#include "train/method.h"
#include "train_config.h"

typedef struct train_run {
    const char *isa;
    const downhill_kernels *kernels;
    sgd_result sgd;       /* TRAIN_SGD */
    method_result result; /* the other methods */
    numerical_cost cost;  /* TRAIN_NUMERICAL */
    bool judged;
    evaluation end; /* if judged: of the model that is kept, on the training samples */
} train_run;

/* Returns where the run keeps why it failed; "": it did not. Like strchr() it takes a const run too, whose text the caller
 * then leaves as it is. */
char *train_run_failure(const train_run *run, const train_config *config);

/* The line above the course of a run. */
void train_print_head(const train_config *config, const train_run *run);

/* What is to say of it at its end. */
void train_print_end(const train_config *config, const train_run *run);

/* A line for each run. */
void train_print_comparison(const train_run *runs, size_t count, const train_config *config,
                            const dataset *data);

/* A run as it stands in the results, and in the record of its model. */
json_t *train_run_to_json(const train_run *run, const train_config *config, const dataset *data);

#endif
