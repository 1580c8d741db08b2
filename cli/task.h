/* SPDX-License-Identifier: MIT
 *
 * What the commands that work on a data set have in common: options, data, ISA level, threads, and the form of
 * the results. */
#ifndef DOWNHILL_CLI_TASK_H
#define DOWNHILL_CLI_TASK_H

#include "base/conditions.h"
#include "base/levels.h"
#include "base/machine.h"
#include "base/output_kind.h"
#include "options.h"
#include "train/problem.h"

#include <jansson.h>

/* The first member of the configuration of such a command. */
typedef struct task_config {
    /* task_data_options */
    const char *data, *isa, *json;
    bool map, quiet;
    size_t threads;
    /* task_loss_options */
    /* A downhill_loss_kind, …, in the order of the words; each of these may be TASK_AUTOMATIC. */
    int loss, dtype, normalise;
    float reg, delta;
    bool times;      /* the results or standard output tell how long something took */
    dataset_use use; /* of the data */
    uint64_t seed;
} task_config;

enum { TASK_AUTOMATIC = -1 };

/* Value of --data if it was not given. Compare the pointer, not the text. */
extern const char task_default_data[];

#define TASK_DEFAULTS                                                                              \
    {                                                                                              \
        .data = task_default_data, .threads = 1, .loss = TASK_AUTOMATIC, .dtype = TASK_AUTOMATIC,  \
        .normalise = TASK_AUTOMATIC, .reg = TASK_AUTOMATIC, .delta = TASK_AUTOMATIC, .seed = 1     \
    }

extern const cli_group task_data_options, task_loss_options;

/* The words of --loss, by what they stand for; those of the types of features and of the normalisations are
 * feature_words and normalise_words. */
extern const char *const task_loss_words[];

/* Options that only the hinge loss has, for cli_refuse_given(). */
extern const char *const task_of_hinge[];

typedef struct task {
    task_config *config;
    const char *command;
    machine machine;
    json_t *warnings;
    json_t *timing; /* `warnings`, for doubts about times; NULL: no times are told */
    int cpus[MACHINE_TEAM_MAX];
    bool crowded; /* more threads than CPUs */
    dataset data;
    features features;
    problem problem; /* with data, features, threads; the kernels are to be chosen */
} task;

/* Fills in what is automatic (loss: hinge; normalize: none; reg: 1e-4; delta: 1) and refuses what cannot
 * go together, or a --json that cannot be written as a file of that kind. Returns CLI_CONTINUE or an exit code after a line. */
int task_settle(const char *command, task_config *config, output_kind results);

/* A file that an option names. */
typedef struct task_file {
    const char *option, *path; /* path NULL: none */
    output_kind kind;          /* OUTPUT_NONE: an input */
} task_file;

/* Is it one of the files that --data lists? */
bool task_is_data(const char *spec, const char *path);

/* Refuses an output that is a file of `data`, of --data, or one of the inputs or another output, or cannot be
 * written. Returns CLI_CONTINUE or an exit code after a line. */
int task_check_files(const char *command, const char *data, const task_file *files, size_t count);

/* Before the data are read, for a command that runs one level: is --isa one that is usable? Returns CLI_CONTINUE or an
 * exit code after a line. */
int task_check_level(const char *command, const task_config *config);

/* The ISA level that is asked for, or the best, under the name of the one that its kernels are of. false: a line
 * was printed, and it is EXIT_ISA. */
bool task_choose_level(const char *command, const char *isa, enum element element,
                       const downhill_kernels **kernels);
enum element task_element(const task_config *config);

/* Reads the data, pins the threads: those of several ranks on one machine to different CPUs. `ranks` NULL: a command that is
 * one process's work, and is refused to several. Returns EXIT_OK, or an exit code after a line, with nothing left open. */
int task_open_data(const char *command, task_config *config, const cluster *ranks, task *t);

/* Fills in what only the data can tell (dtype: u8 for the hinge loss of bytes, else f32), and refuses what these data cannot
 * be trained as. Returns EXIT_OK, or an exit code after a line. */
int task_settle_data(task *t);

/* The features as the configuration wants them, settled before; after whatever was split off the training samples. */
int task_open_features(task *t);
void task_close(task *t);

/* When timed work began, and what the kernel had counted by then. */
typedef struct task_start {
    double wall_s, cpu_s;
    conditions counted;
} task_start;

task_start task_start_now(const task *t);

/* Warns, if times are told, that the thread of work that began at `start` waited for its CPU, and says why. `what` names
 * the work. */
void task_warn_of_wait(task *t, const char *what, const task_start *start);

/* Does anything go to standard output that is for people? */
bool task_prints(const task_config *config);

/* Returns whether so many operations take long, about half a minute with AVX2. */
bool task_is_long(double work, size_t threads);

/* Warns that a run of so many multiplications and additions will take long without keeping anything; `remedy` names the
 * options that do. To be called if none of them was given. */
void task_warn_if_long(const char *command, double work, size_t threads, const char *remedy);

/* The results: machine, build, warnings and `name`: `value`, whose reference it takes. Returns an exit code. */
int task_write(const task *t, const char *name, json_t *value);

#endif
