/* SPDX-License-Identifier: MIT
 *
 * What downhill train leaves on disk, and goes on from: models and checkpoints. */
#ifndef DOWNHILL_CLI_TRAIN_SAVED_H
#define DOWNHILL_CLI_TRAIN_SAVED_H

#include "data/fingerprint.h"
#include "train/checkpoint.h"
#include "train_results.h"

typedef struct train_saved {
    const train_config *config;
    const task *task;
    model_file from; /* the checkpoint; the words of the configuration may be in its record */
    sgd_state state;
    bool resumes, has_checkpoint;
    json_t *record;                /* what does not change from one checkpoint to the next */
    char data_digest[DIGEST_TEXT]; /* of the training samples, those for validation among them */
} train_saved;

/* Reads the checkpoint of --resume and fills in *config with its options, and with those on the command line that may
 * be others. Returns CLI_CONTINUE, or an exit code after a line. */
int train_saved_resume(train_saved *saved, const cli_command *self, int argc, char **argv,
                       train_config *config);

/* Says where training goes on, and with which options. */
void train_saved_print_resumed(const train_saved *saved, const cli_command *self);

/* With the data read, before some are held out for validation: notes what the data are, and refuses others than those of
 * the checkpoint. Returns an exit code. */
int train_saved_note_data(train_saved *saved, const train_config *config, const dataset *data);

/* Before training: do the weights of the checkpoint fit? Returns EXIT_OK, or an exit code after a
 * line. */
int train_saved_open(train_saved *saved, const cli_command *self, const train_config *config,
                     const task *t, const train_run *run);
void train_saved_close(train_saved *saved);

/* Do all ranks have the same options, data and state to begin with? To be asked by all. */
bool train_saved_agree(const train_saved *saved, const cli_command *self, const cluster *ranks);

/* What to go on from; NULL: nothing. */
const sgd_state *train_saved_state(const train_saved *saved);

/* Write the files. Return an exit code. */
int train_saved_checkpoint(train_saved *saved, const train_run *run, const sgd_state *state);
int train_saved_model(train_saved *saved, const train_run *run);

/* Is there one to go on from, should training fail? */
bool train_saved_has_checkpoint(const train_saved *saved);

#endif
