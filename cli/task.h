/* SPDX-License-Identifier: MIT
 *
 * The common part of the commands that work on a data set: options, data, ISA level, threads and
 * results. */
#ifndef DOWNHILL_CLI_TASK_H
#define DOWNHILL_CLI_TASK_H

#include "base/conditions.h"
#include "base/levels.h"
#include "base/machine.h"
#include "base/output_kind.h"
#include "options.h"
#include "train/problem.h"

#include <jansson.h>

/* First member of the configuration of such a command. */
typedef struct task_config {
    /* task_data_options, --isa and task_run_options */
    const char *data, *isa, *json;
    bool map, quiet;
    size_t threads;
    bool reproducible; /* of train */
    /* task_loss_options */
    /* downhill_loss_kind, feature_type, normalise_kind, in the order of their words. Each of these,
     * and reg and delta, may be TASK_AUTOMATIC. */
    int loss, dtype, normalise;
    float reg, delta;
    bool times;      /* times are printed or written to the results */
    dataset_use use; /* what the command needs of the data */
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

/* A command takes task_data_options, one of the two groups with --isa, and task_run_options. */
extern const cli_group task_data_options, task_one_level, task_several_levels, task_run_options,
    task_loss_options;

/* The choices of --loss by downhill_loss_kind. Those of --dtype and --normalize are feature_words
 * and normalise_words. */
extern const char *const task_loss_words[];

/* Options that only the hinge loss has, for cli_refuse_given(). */
extern const char *const task_of_hinge[];

typedef struct task {
    task_config *config;
    const char *command;
    machine machine;
    json_t *warnings;
    json_t *timing; /* equals `warnings`; NULL if no times are reported, so that none is doubted */
    int cpus[MACHINE_TEAM_MAX];
    bool crowded; /* more threads than CPUs */
    dataset data;
    features features;
    problem problem; /* complete except for the kernels */
} task;

/* Fills in automatic values (loss: hinge; normalize: none; reg: 1e-4; delta: 1). Refuses options
 * that exclude each other, and a --json that cannot be written as a file of that kind. Returns
 * CLI_CONTINUE, or an exit code after a line. */
int task_settle(const char *command, task_config *config, output_kind results);

/* A file that an option names. */
typedef struct task_file {
    const char *option, *path; /* path is NULL if the option was not given */
    output_kind kind;          /* OUTPUT_NONE: an input */
} task_file;

/* Returns whether `path` is one of the files that --data lists. */
bool task_is_data(const char *spec, const char *path);

/* Refuses an output that is a file of `data` (the value of --data), an input or another output, or
 * that cannot be written. Returns CLI_CONTINUE, or an exit code after a line. */
int task_check_files(const char *command, const char *data, const task_file *files, size_t count);

/* Checks --isa for a command that runs one level: it must name one usable level. To be called
 * before the data are read. Returns CLI_CONTINUE, or an exit code after a line. */
int task_check_level(const char *command, const task_config *config);

/* Sets *kernels to the level that `isa` names. If it is NULL, to the default level, or to the
 * lowest level with the same kernels. Returns false after a line; the exit code is then
 * EXIT_ISA. */
bool task_choose_level(const char *command, const char *isa, enum element element,
                       const downhill_kernels **kernels);
enum element task_element(const task_config *config);

/* Reads the data and pins the threads; ranks on one machine get different CPUs. If `ranks` is NULL,
 * the command is for one process and refused under mpirun. Returns EXIT_OK; or an exit code after a
 * line, with nothing left open. */
int task_open_data(const char *command, task_config *config, const cluster *ranks, task *t);

/* Fills in the automatic dtype, which depends on the data (u8 for bytes with the hinge loss,
 * otherwise f32), and refuses options that these data do not support. Returns EXIT_OK, or an exit
 * code after a line. */
int task_settle_data(task *t);

/* Converts the features as the configuration says. To be called after validation samples were split
 * off. Returns EXIT_OK, or an exit code after a line. */
int task_open_features(task *t);
void task_close(task *t);

/* Clocks and kernel counters at the start of timed work. */
typedef struct task_start {
    double wall_s, cpu_s;
    conditions counted;
} task_start;

task_start task_start_now(const task *t);

/* Warns, if times are reported, when the thread waited for its CPU since `start`, with the cause.
 * `what` names the work. */
void task_warn_of_wait(task *t, const char *what, const task_start *start);

/* Returns whether the command prints text to standard output, which --quiet and --json -
 * prevent. */
bool task_prints(const task_config *config);

/* Returns whether `work` multiply-adds take long: more than about half a minute with AVX2. */
bool task_is_long(double work, size_t threads);

/* Warns if a run of `work` multiply-adds will take long; nothing of it is kept. `remedy` names the
 * options that would keep it. To be called if none of them was given. */
void task_warn_if_long(const char *command, double work, size_t threads, const char *remedy);

/* Writes the results of --json: machine, build, warnings, and `value` under `name`. Takes the
 * reference to `value`. Returns an exit code. */
int task_write(const task *t, const char *name, json_t *value);

#endif
