/* SPDX-License-Identifier: MIT
 *
 * What downhill train is asked for, what comes of it, and how that is shown and written. */
#ifndef DOWNHILL_CLI_TRAIN_RESULTS_H
#define DOWNHILL_CLI_TRAIN_RESULTS_H

#include "base/machine.h"
#include "train/sgd.h"

#include <jansson.h>

typedef struct train_config {
    const char *data, *isa, *json;
    int loss;                      /* a downhill_loss_kind, in the order of the words of --loss */
    int dtype, normalise, shuffle; /* the same of model_dtype or AUTOMATIC, … */
    size_t batch, epochs, threads;
    float lr, reg, delta;
    uint64_t seed;
    bool map;
} train_config;

typedef struct train_run {
    const char *isa;
    const downhill_kernels *kernels;
    sgd_result result;
} train_run;

/* The words of the options, by what they stand for. */
extern const char *const train_dtype_words[], *const train_normalise_words[],
                                                  *const train_shuffle_words[];

void train_print_phases(const sgd_result *r);

/* A line for each run. */
void train_print_comparison(const train_run *runs, size_t count, const dataset *data);

/* The JSON of all runs, to config->json. Returns an exit code. */
int train_write_results(const train_config *config, const machine *m, const train_run *runs,
                        size_t count, const dataset *data, json_t *warnings);

#endif
