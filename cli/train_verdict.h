/* SPDX-License-Identifier: MIT
 *
 * Checks of downhill train before and after training: warnings, and whether training failed. */
#ifndef DOWNHILL_CLI_TRAIN_VERDICT_H
#define DOWNHILL_CLI_TRAIN_VERDICT_H

#include "train_results.h"

/* Refuses training samples that are all of one class. All ranks have the same data; rank 0 prints
 * the line. Returns an exit code. */
int train_check_classes(const task *t);

/* Warns if features are too large for the learning rate, and if a long run would keep nothing. */
void train_warn_before(const train_config *config, const task *t);

/* Evaluates the model on the training samples and decides whether training failed; the reason is
 * then stored in the run and printed by rank 0. Warns about doubtful results. Collective. Returns
 * EXIT_OK, EXIT_CHECK if training failed, or EXIT_INTERNAL after a line. A signal to rank 0 marks
 * the run as interrupted. */
int train_judge(const train_config *config, const task *t, train_run *run);

#endif
