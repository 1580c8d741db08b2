/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: training runs on disk that can be resumed and then give the same bits. */
#ifndef DOWNHILL_TRAIN_CHECKPOINT_H
#define DOWNHILL_TRAIN_CHECKPOINT_H

#include "model_file.h"
#include "problem.h"
#include "sgd.h"

/* Writes the state as a model file (model_file.h) with the extra arrays of a checkpoint and "state"
 * in its record. The record is not changed. Returns an exit code. */
int checkpoint_write(const char *path, const problem *p, const sgd_state *state,
                     const json_t *record);

/* Moves the training state out of a model file that was read; the state then owns the weights.
 * Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int checkpoint_take(const char *path, model_file *m, sgd_state *state);

#endif
