/* SPDX-License-Identifier: MIT
 *
 * The configuration of downhill train. */
#ifndef DOWNHILL_CLI_TRAIN_CONFIG_H
#define DOWNHILL_CLI_TRAIN_CONFIG_H

#include "task.h"
#include "train/numerical.h"
#include "train/search.h"
#include "train/sgd.h"

typedef enum train_method {
    TRAIN_SGD,
    TRAIN_RANDOM_SEARCH,
    TRAIN_LOCAL_SEARCH,
    TRAIN_NUMERICAL,
    TRAIN_LBFGS
} train_method;

typedef struct train_config {
    task_config task;
    int method, shuffle, schedule, difference; /* in the order of their words */
    size_t batch, epochs, patience, every, lr_every, tries, coordinates, iterations;
    float lr, momentum, lr_factor, scale, step, h, tolerance; /* scale 0: default of the method */
    double validation;
    bool nesterov;
    const char *model, *checkpoint, *resume;
    uint64_t given; /* bit i: option i was given (cli_is_given()) */
} train_config;

extern const train_config train_defaults;
extern const cli_group train_method_options;
extern const char *const train_method_words[],
    *const train_shuffle_words[], *const train_schedule_words[], *const train_difference_words[];

/* Fills in automatic values. Refuses options that do not belong to the method or exclude each other
 * and, if `writes`, files that cannot be written. Returns CLI_CONTINUE, or an exit code after a
 * line. */
int train_settle(const cli_command *self, train_config *config, bool writes);

/* Return the options of a method from the configuration. */
sgd_options train_sgd_options(const train_config *config);
search_options train_search_options(const train_config *config);
numerical_options train_numerical_options(const train_config *config);

#endif
