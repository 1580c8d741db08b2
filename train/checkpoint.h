/* SPDX-License-Identifier: MIT
 *
 * A training run on disk, from which it goes on to the same bits. */
#ifndef DOWNHILL_TRAIN_CHECKPOINT_H
#define DOWNHILL_TRAIN_CHECKPOINT_H

#include "model_file.h"
#include "problem.h"
#include "sgd.h"

/* Writes the state as a model file (model_file.h) with what more there is. The record is only read. Returns an exit
 * code. */
int checkpoint_write(const char *path, const problem *p, const sgd_state *state,
                     const json_t *record);

/* Takes the state out of a model file that was read, whose weights it then has. Returns EXIT_OK, or prints a line and
 * returns EXIT_DATA or EXIT_INTERNAL. */
int checkpoint_take(const char *path, model_file *m, sgd_state *state);

#endif
