/* SPDX-License-Identifier: MIT
 *
 * The weights that a command starts from: those of a model file, or random ones. */
#ifndef DOWNHILL_CLI_ORIGIN_H
#define DOWNHILL_CLI_ORIGIN_H

#include "task.h"
#include "train/model_file.h"

/* For the record of a model: what it was trained to make small. */
json_t *origin_objective(const task_config *config);

/* Before task_open_data(): if `path` is not NULL, reads the model, and the configuration takes its type of features
 * and normalisation, and its loss and penalty where they are automatic. Returns CLI_CONTINUE, or an exit code after a line. */
int origin_read(const char *command, const char *path, task_config *config, model_file *from);

/* In place of task_open_features(): with the normalisation of the model, if there is one. Checks that model and data go
 * together. Returns an exit code. */
int origin_open_features(task *t, const char *path, model_file *from);

#endif
