/* SPDX-License-Identifier: MIT
 *
 * The weights that a command starts with: those of a model file, or random ones. */
#ifndef DOWNHILL_CLI_ORIGIN_H
#define DOWNHILL_CLI_ORIGIN_H

#include "task.h"
#include "train/model_file.h"

/* Returns the loss and penalty of a configuration, for the record of a model. */
json_t *origin_objective(const task_config *config);

/* Reads the model if `path` is not NULL, and sets feature type and normalisation of the
 * configuration to those of the model, also loss and penalty if they are automatic. To be called
 * before task_open_data(). Returns CLI_CONTINUE, or an exit code after a line. */
int origin_read(const char *command, const char *path, task_config *config, model_file *from);

/* Opens the features like task_open_features(), but if `path` is not NULL with the normalisation of
 * the model, after checking that data and model match. Returns an exit code. */
int origin_open_features(task *t, const char *path, model_file *from);

#endif
