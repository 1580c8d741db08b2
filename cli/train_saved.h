/* SPDX-License-Identifier: MIT
 *
 * The models and checkpoints that downhill train writes, and resumes from. */
#ifndef DOWNHILL_CLI_TRAIN_SAVED_H
#define DOWNHILL_CLI_TRAIN_SAVED_H

#include "data/fingerprint.h"
#include "train/checkpoint.h"
#include "train_results.h"

typedef struct train_saved {
    const train_config *config;
    const task *task;
    model_file from; /* the checkpoint; strings of the configuration may point into its record */
    sgd_state state;
    bool resumes, has_checkpoint;
    json_t *record;                /* the part that all checkpoints of this run share */
    char data_digest[DIGEST_TEXT]; /* of the training samples, validation samples included */
} train_saved;

/* Reads the checkpoint of --resume and sets *config to its options, then to those of the command
 * line that may change. Returns CLI_CONTINUE, or an exit code after a line. */
int train_saved_resume(train_saved *saved, const cli_command *self, int argc, char **argv,
                       train_config *config);

/* Prints where training resumes, and with which options. */
void train_saved_print_resumed(const train_saved *saved, const cli_command *self);

/* Computes the digest of the data, and when resuming refuses data that differ from those of the
 * checkpoint. To be called before validation samples are held out. Returns an exit code. */
int train_saved_note_data(train_saved *saved, const train_config *config, const dataset *data);

/* Prepares the record, and checks that the weights of the checkpoint fit. To be called before
 * training. Returns EXIT_OK, or an exit code after a line. */
int train_saved_open(train_saved *saved, const cli_command *self, const train_config *config,
                     const task *t, const train_run *run);
void train_saved_close(train_saved *saved);

/* Returns whether all ranks start with the same options, data and state. Collective. */
bool train_saved_agree(const train_saved *saved, const cli_command *self, const cluster *ranks);

/* Returns the state to resume from, or NULL. */
const sgd_state *train_saved_state(const train_saved *saved);

/* Write the files. Return an exit code. */
int train_saved_checkpoint(train_saved *saved, const train_run *run, const sgd_state *state);
int train_saved_model(train_saved *saved, const train_run *run);

/* Returns whether there is a checkpoint to resume from. */
bool train_saved_has_checkpoint(const train_saved *saved);

#endif
