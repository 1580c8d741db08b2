/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "loss_surface.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/warnings.h"
#include "interrupt.h"
#include "train/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Cost of one class, sample and point, as the number of multiply-adds of scores that take as
 * long. */
#define POINT_WORK 60.0

#define AT(member) .offset = offsetof(loss_surface_config, member)

static const cli_option options[] = {
    {.name = "samples",
     .heading = "Weights and samples",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(samples),
     .min = 1,
     .max = 1e9,
     .help = "number of training samples to use, from the first on, or all (default)"},
    {.name = "model",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(model),
     .help = "start from this model, with its loss and penalty unless others are given "
             "(default: from random weights)"},
    {.name = "scale",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(scale),
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of the random weights (default: 0.01)"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(csv),
     .help = "write the points to FILE as CSV"},
};

const cli_group loss_surface_options = {options, sizeof options / sizeof options[0]};

/* ---- opening ---- */

static int prepare(const cli_command *self, loss_surface *surface, size_t points)
{
    const loss_surface_config *config = surface->config;
    int code = origin_open_features(&surface->task, config->model, &surface->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level(self->name, config->task.isa, task_element(&config->task),
                           &surface->task.problem.kernels))
        return EXIT_ISA;
    const dataset *data = &surface->task.data;
    surface->s = data->train;
    surface->s.n = config->samples < surface->s.n ? config->samples : surface->s.n;
    surface->count = points;
    surface->points = memory_new(points, sizeof *surface->points);
    bool good = surface->points != NULL;
    for (size_t i = 0; good && i <= surface->directions; i++)
        good = weights_new(data->d, data->c, &surface->sets[i]);
    if (!good)
        return problem_failed(DOWNHILL_ERR_WORKSPACE);
    if (config->model != NULL)
        weights_copy(&surface->from.weights, &surface->sets[0]);
    else
        draw_weights(&surface->task.problem, config->task.seed, 0, config->scale, NULL,
                     &surface->sets[0]);
    return EXIT_OK;
}

int loss_surface_check_files(const cli_command *self, const loss_surface_config *config)
{
    const task_file files[] = {{"model", config->model, OUTPUT_NONE},
                               {"csv", config->csv, config->csv_kind},
                               {"json", config->task.json, config->json_kind}};
    const int code = task_check_files(self->name, config->task.data, files, 3);
    return code == CLI_CONTINUE ? task_check_level(self->name, &config->task) : code;
}

int loss_surface_open(const cli_command *self, loss_surface_config *config, size_t directions,
                      size_t points, loss_surface *surface)
{
    static const char *const of_random_weights[] = {"scale", NULL};
    *surface = (loss_surface){.name = self->name, .config = config, .directions = directions};
    int code = CLI_CONTINUE;
    if (config->model != NULL)
        code = cli_refuse_given(self, config, of_random_weights, "with --model");
    if (code == CLI_CONTINUE)
        code = origin_read(self->name, config->model, &config->task, &surface->from);
    if (code == CLI_CONTINUE)
        code = task_settle(self->name, &config->task, config->json_kind);
    if (code == CLI_CONTINUE && config->task.loss == DOWNHILL_SOFTMAX)
        code = cli_refuse_given(self, config, task_of_hinge, "for the softmax loss");
    config->task.times = config->task.json != NULL || (config->prints_time && !config->task.quiet);
    if (code == CLI_CONTINUE)
        code = task_open_data(self->name, &config->task, NULL, &surface->task);
    if (code != EXIT_OK) {
        model_file_close(&surface->from);
        return code;
    }
    interrupt_catch();
    code = prepare(self, surface, points);
    if (code != EXIT_OK)
        loss_surface_close(surface);
    return code;
}

void loss_surface_close(loss_surface *surface)
{
    for (size_t i = 0; i <= LANDSCAPE_DIRECTIONS_MAX; i++)
        weights_free(&surface->sets[i]);
    free(surface->points);
    model_file_close(&surface->from);
    task_close(&surface->task);
}

/* ---- the points ---- */

static double work(const loss_surface *surface)
{
    const dataset *data = &surface->task.data;
    const double scores = 2.0 * (double)(surface->directions + 1) * (double)data->d,
                 points = POINT_WORK * (double)surface->count;
    return (double)surface->s.n * (double)data->c * (scores + points);
}

int loss_surface_losses(loss_surface *surface)
{
    const loss_surface_config *config = surface->config;
    bool done;
    if (config->csv == NULL && config->task.json == NULL)
        task_warn_if_long(surface->name, work(surface), config->task.threads,
                          "--json or --csv to keep the points");
    const task_start begun = task_start_now(&surface->task);
    const double start = clock_seconds();
    const int code = landscape_losses(&surface->task.problem, &surface->s, surface->sets,
                                      surface->directions, surface->points, surface->count, &done);
    surface->seconds = clock_seconds() - start;
    if (code == EXIT_OK && !done)
        return interrupt_end(surface->task.command);
    if (code == EXIT_OK)
        task_warn_of_wait(&surface->task, surface->name, &begun);
    return code;
}

size_t loss_surface_lowest(const loss_surface *surface, size_t first)
{
    size_t lowest = SIZE_MAX;
    for (size_t i = first; i < surface->count; i++) {
        const double loss = surface->points[i].loss;
        if (isfinite(loss) && (lowest == SIZE_MAX || loss < surface->points[lowest].loss))
            lowest = i;
    }
    if (lowest == SIZE_MAX)
        warnings_add(surface->task.warnings,
                     "no point has a finite loss: the scores overflow f32; try --normalize "
                     "standardize, or a smaller --scale");
    return lowest;
}

struct csv {
    const loss_surface *surface;
    const char *head;
};

static bool write_csv(FILE *file, const void *context)
{
    const struct csv *csv = context;
    const loss_surface *surface = csv->surface;
    fprintf(file, "%s\n", csv->head);
    for (size_t i = 0; i < surface->count && !ferror(file); i++) {
        for (size_t v = 0; v < surface->directions; v++)
            fprintf(file, "%.9g,", surface->points[i].a[v]);
        fprintf(file, "%.9g\n", surface->points[i].loss);
    }
    return !ferror(file);
}

static void add_points(const loss_surface *surface, json_t *o)
{
    json_t *points = json_array();
    for (size_t i = 0; i < surface->count; i++) {
        json_t *point = json_array();
        for (size_t v = 0; v < surface->directions; v++)
            json_array_append_new(point, output_real(surface->points[i].a[v]));
        json_array_append_new(point, output_real(surface->points[i].loss));
        json_array_append_new(points, point);
    }
    output_set(o, "points", points);
}

int loss_surface_write(const loss_surface *surface, const char *csv_head, const char *name,
                       json_t *o)
{
    const loss_surface_config *config = surface->config;
    const task_config *common = &config->task;
    const struct csv csv = {surface, csv_head};
    const int code = config->csv != NULL
                         ? output_file(config->csv, config->csv_kind, write_csv, &csv)
                         : (int)EXIT_OK;
    output_set(o, "dataset", json_string(surface->task.data.name));
    output_set(o, "model", config->model != NULL ? json_string(config->model) : json_null());
    output_set(o, "loss", json_string(task_loss_words[common->loss]));
    output_set(o, "dtype", json_string(feature_words[common->dtype]));
    output_set(o, "normalize", json_string(normalise_words[common->normalise]));
    output_set(o, "reg", output_f32(common->reg));
    output_set(o, "delta", output_f32(common->delta));
    output_set(o, "seed", json_integer((json_int_t)common->seed));
    output_set(o, "isa", json_string(downhill_kernels_name(surface->task.problem.kernels)));
    output_set(o, "samples", json_integer((json_int_t)surface->s.n));
    output_set(o, "seconds", output_real(surface->seconds));
    add_points(surface, o);
    const int written = task_write(&surface->task, name, o);
    return code != EXIT_OK ? code : written;
}
