/* SPDX-License-Identifier: MIT
 *
 * Checks of downhill train before and after training: warnings, and whether it failed. */
#ifndef DOWNHILL_CLI_TRAIN_VERDICT_H
#define DOWNHILL_CLI_TRAIN_VERDICT_H

#include "train_results.h"

/* Refuses training samples of one class, which all ranks have; rank 0 prints the line. Returns an exit code. */
int train_check_classes(const task *t);

/* Warns of features that are too large for the learning rate, and of a long run of which nothing would be kept. */
void train_warn_before(const train_config *config, const task *t);

/* Evaluates the model on the training samples, and decides whether training failed: the reason is then the run's, and
 * rank 0 prints it. Warns of what looks wrong without being a failure. To be called by all ranks. Returns EXIT_OK,
 * EXIT_CHECK if training failed, or EXIT_INTERNAL after a line. A signal to rank 0 makes the run an interrupted one. */
int train_judge(const train_config *config, const task *t, train_run *run);

#endif
