/* SPDX-License-Identifier: MIT
 *
 * The common part of the commands that compute the loss around some weights (landscape,
 * step-sweep): weights, points and output. */
#ifndef DOWNHILL_CLI_LOSS_SURFACE_H
#define DOWNHILL_CLI_LOSS_SURFACE_H

#include "origin.h"
#include "train/landscape.h"

/* First member of the configuration of such a command. */
typedef struct loss_surface_config {
    task_config task;
    const char *model, *csv;
    output_kind json_kind, csv_kind;
    size_t samples;
    float scale;
    bool prints_time; /* the time of the points is printed to standard output */
    uint64_t given;   /* bit i: option i was given (cli_is_given()) */
} loss_surface_config;

#define LOSS_SURFACE_DEFAULTS(json, csv)                                                           \
    {                                                                                              \
        .task = TASK_DEFAULTS, .json_kind = json, .csv_kind = csv, .samples = SIZE_MAX,            \
        .scale = 0.01f                                                                             \
    }

extern const cli_group loss_surface_options;

typedef struct loss_surface {
    const char *name; /* of the command */
    const loss_surface_config *config;
    task task;
    model_file from;
    samples s; /* the samples used: the first of the training samples, whose rows they share */
    size_t directions;
    downhill_weights_f32 sets[LANDSCAPE_DIRECTIONS_MAX + 1]; /* the weights, then the directions */
    landscape_point *points;
    size_t count;
    double seconds; /* time of the losses */
} loss_surface;

/* Checks that the output files can be written and that the ISA level is usable. Returns
 * CLI_CONTINUE, or an exit code after a line. */
int loss_surface_check_files(const cli_command *self, const loss_surface_config *config);

/* Checks the parsed configuration, reads model and data, sets sets[0] to the weights and allocates
 * the points. Returns EXIT_OK; or an exit code after a line, with nothing left open. */
int loss_surface_open(const cli_command *self, loss_surface_config *config, size_t directions,
                      size_t points, loss_surface *surface);
void loss_surface_close(loss_surface *surface);

/* Computes the losses at the points. Returns an exit code. */
int loss_surface_losses(loss_surface *surface);

/* Returns the index of the lowest loss from point `first` on, the first of equal ones. If no loss
 * is finite, warns and returns SIZE_MAX. */
size_t loss_surface_lowest(const loss_surface *surface, size_t first);

/* Writes the files of --csv and --json. Adds the common results to `o`, takes its reference and
 * writes it under `name`. Returns an exit code. */
int loss_surface_write(const loss_surface *surface, const char *csv_head, const char *name,
                       json_t *o);

#endif
