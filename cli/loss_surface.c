/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "vicinity.h"

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

/* Work per class of a sample at a point, in multiplications of a product of scores that take as long. */
#define POINT_WORK 60.0

#define AT(member) .offset = offsetof(vicinity_config, member)

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

const cli_group vicinity_options = {options, sizeof options / sizeof options[0]};

/* ---- opening ---- */

static int look(const cli_command *self, vicinity *around, size_t points)
{
    const vicinity_config *config = around->config;
    int code = origin_open_features(&around->task, config->model, &around->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level(self->name, config->task.isa, task_element(&config->task),
                           &around->task.problem.kernels))
        return EXIT_ISA;
    const dataset *data = &around->task.data;
    around->s = data->train;
    around->s.n = config->samples < around->s.n ? config->samples : around->s.n;
    around->count = points;
    around->points = memory_new(points, sizeof *around->points);
    bool good = around->points != NULL;
    for (size_t i = 0; good && i <= around->directions; i++)
        good = weights_new(data->d, data->c, &around->sets[i]);
    if (!good)
        return problem_failed(DOWNHILL_ERR_WORKSPACE);
    if (config->model != NULL)
        weights_copy(&around->from.weights, &around->sets[0]);
    else
        draw_weights(&around->task.problem, config->task.seed, 0, config->scale, NULL,
                     &around->sets[0]);
    return EXIT_OK;
}

int vicinity_check_files(const cli_command *self, const vicinity_config *config)
{
    const task_file files[] = {{"model", config->model, OUTPUT_NONE},
                               {"csv", config->csv, config->csv_kind},
                               {"json", config->task.json, config->json_kind}};
    const int code = task_check_files(self->name, config->task.data, files, 3);
    return code == CLI_GO_ON ? task_check_level(self->name, &config->task) : code;
}

int vicinity_open(const cli_command *self, vicinity_config *config, size_t directions,
                  size_t points, vicinity *around)
{
    static const char *const of_random_weights[] = {"scale", NULL};
    *around = (vicinity){.name = self->name, .config = config, .directions = directions};
    int code = CLI_GO_ON;
    if (config->model != NULL)
        code = cli_refuse_given(self, config, of_random_weights, "with --model");
    if (code == CLI_GO_ON)
        code = origin_read(self->name, config->model, &config->task, &around->from);
    if (code == CLI_GO_ON)
        code = task_settle(self->name, &config->task, config->json_kind);
    if (code == CLI_GO_ON && config->task.loss == DOWNHILL_SOFTMAX)
        code = cli_refuse_given(self, config, task_of_hinge, "for the softmax loss");
    config->task.times = config->task.json != NULL || (config->prints_time && !config->task.quiet);
    if (code == CLI_GO_ON)
        code = task_open_data(self->name, &config->task, NULL, &around->task);
    if (code != EXIT_OK) {
        model_file_close(&around->from);
        return code;
    }
    interrupt_catch();
    code = look(self, around, points);
    if (code != EXIT_OK)
        vicinity_close(around);
    return code;
}

void vicinity_close(vicinity *around)
{
    for (size_t i = 0; i <= LANDSCAPE_DIRECTIONS_MAX; i++)
        weights_free(&around->sets[i]);
    free(around->points);
    model_file_close(&around->from);
    task_close(&around->task);
}

/* ---- the points ---- */

static double work(const vicinity *around)
{
    const dataset *data = &around->task.data;
    const double scores = 2.0 * (double)(around->directions + 1) * (double)data->d,
                 points = POINT_WORK * (double)around->count;
    return (double)around->s.n * (double)data->c * (scores + points);
}

int vicinity_losses(vicinity *around)
{
    const vicinity_config *config = around->config;
    bool done;
    if (config->csv == NULL && config->task.json == NULL)
        task_warn_if_long(around->name, work(around), config->task.threads,
                          "--json or --csv to keep the points");
    const task_start begun = task_start_now(&around->task);
    const double start = clock_seconds();
    const int code = landscape_losses(&around->task.problem, &around->s, around->sets,
                                      around->directions, around->points, around->count, &done);
    around->seconds = clock_seconds() - start;
    if (code == EXIT_OK && !done)
        return interrupt_end(around->task.command);
    if (code == EXIT_OK)
        task_warn_of_wait(&around->task, around->name, &begun);
    return code;
}

size_t vicinity_lowest(const vicinity *around, size_t first)
{
    size_t lowest = SIZE_MAX;
    for (size_t i = first; i < around->count; i++) {
        const double loss = around->points[i].loss;
        if (isfinite(loss) && (lowest == SIZE_MAX || loss < around->points[lowest].loss))
            lowest = i;
    }
    if (lowest == SIZE_MAX)
        warnings_add(around->task.warnings,
                     "no point has a finite loss: the scores overflow f32; try --normalize "
                     "standardize, or a smaller --scale");
    return lowest;
}

struct csv {
    const vicinity *around;
    const char *head;
};

static bool write_csv(FILE *file, const void *context)
{
    const struct csv *csv = context;
    const vicinity *around = csv->around;
    fprintf(file, "%s\n", csv->head);
    for (size_t i = 0; i < around->count && !ferror(file); i++) {
        for (size_t v = 0; v < around->directions; v++)
            fprintf(file, "%.9g,", around->points[i].a[v]);
        fprintf(file, "%.9g\n", around->points[i].loss);
    }
    return !ferror(file);
}

static void add_points(const vicinity *around, json_t *o)
{
    json_t *points = json_array();
    for (size_t i = 0; i < around->count; i++) {
        json_t *point = json_array();
        for (size_t v = 0; v < around->directions; v++)
            json_array_append_new(point, output_real(around->points[i].a[v]));
        json_array_append_new(point, output_real(around->points[i].loss));
        json_array_append_new(points, point);
    }
    output_set(o, "points", points);
}

int vicinity_write(const vicinity *around, const char *csv_head, const char *name, json_t *o)
{
    const vicinity_config *config = around->config;
    const task_config *common = &config->task;
    const struct csv csv = {around, csv_head};
    const int code = config->csv != NULL
                         ? output_file(config->csv, config->csv_kind, write_csv, &csv)
                         : (int)EXIT_OK;
    output_set(o, "dataset", json_string(around->task.data.name));
    output_set(o, "model", config->model != NULL ? json_string(config->model) : json_null());
    output_set(o, "loss", json_string(task_loss_words[common->loss]));
    output_set(o, "dtype", json_string(feature_words[common->dtype]));
    output_set(o, "normalize", json_string(normalise_words[common->normalise]));
    output_set(o, "reg", output_f32(common->reg));
    output_set(o, "delta", output_f32(common->delta));
    output_set(o, "seed", json_integer((json_int_t)common->seed));
    output_set(o, "isa", json_string(downhill_kernels_name(around->task.problem.kernels)));
    output_set(o, "samples", json_integer((json_int_t)around->s.n));
    output_set(o, "seconds", output_real(around->seconds));
    add_points(around, o);
    const int written = task_write(&around->task, name, o);
    return code != EXIT_OK ? code : written;
}
