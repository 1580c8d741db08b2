/* SPDX-License-Identifier: MIT
 *
 * Prints and writes the results of downhill train. */
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
    bool judged;          /* `end` is valid */
    evaluation end;       /* the model that is kept, evaluated on the training samples */
} train_run;

/* Returns the run's text of why it failed; "" if it did not. Like strchr(), it casts const away: do
 * not write to the text of a const run. */
char *train_run_failure(const train_run *run, const train_config *config);

/* Prints the line with the configuration, before a run. */
void train_print_head(const train_config *config, const train_run *run);

/* Prints the results after a run. */
void train_print_end(const train_config *config, const train_run *run);

/* Prints a table with a line per run. */
void train_print_comparison(const train_run *runs, size_t count, const train_config *config,
                            const dataset *data);

/* Prints a line that says whether the models have the same digest, unless fewer than two runs have
 * one. */
void train_print_digests(const train_run *runs, size_t count, const train_config *config);

/* Returns a run as an object of the results, also for the record of its model. */
json_t *train_run_to_json(const train_run *run, const train_config *config, const dataset *data);

#endif
