/* SPDX-License-Identifier: MIT
 *
 * What the commands that look at the loss surface some weights have in common: where they look from, the points, and
 * what they write. */
#ifndef DOWNHILL_CLI_LOSS_SURFACE_H
#define DOWNHILL_CLI_LOSS_SURFACE_H

#include "origin.h"
#include "train/landscape.h"

/* The first member of the configuration of such a command. */
typedef struct loss_surface_config {
    task_config task;
    const char *model, *csv;
    output_kind json_kind, csv_kind;
    size_t samples;
    float scale;
    bool prints_time; /* standard output says how long the points took */
    uint64_t given;   /* which options were (cli_is_given()) */
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
    samples s; /* of the training samples, whose rows they are */
    size_t directions;
    downhill_weights_f32 sets[LANDSCAPE_DIRECTIONS_MAX + 1]; /* the weights, then the directions */
    landscape_point *points;
    size_t count;
    double seconds; /* that the losses took */
} loss_surface;

/* Can all its files be what they are named for, and is its ISA level usable? Returns CLI_CONTINUE or an exit code after a line. */
int loss_surface_check_files(const cli_command *self, const loss_surface_config *config);

/* Of a configuration that was parsed. Checks it, reads model and data, and has the weights in sets[0] and room for as many
 * points. Returns EXIT_OK; or an exit code after a line, with nothing left open. */
int loss_surface_open(const cli_command *self, loss_surface_config *config, size_t directions,
                      size_t points, loss_surface *surface);
void loss_surface_close(loss_surface *surface);

/* The losses at the points. Returns an exit code. */
int loss_surface_losses(loss_surface *surface);

/* Returns the point of the lowest loss, the first of equal ones, from point `first` on; SIZE_MAX, after a warning: none has
 * a loss that is finite. */
size_t loss_surface_lowest(const loss_surface *surface, size_t first);

/* Writes what --csv and --json ask for, `o` among the results under `name`, whose reference it takes. Returns an exit
 * code. */
int loss_surface_write(const loss_surface *surface, const char *csv_head, const char *name,
                       json_t *o);

#endif
