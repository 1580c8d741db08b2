/* SPDX-License-Identifier: MIT
 *
 * downhill landscape: the loss along random directions. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "interrupt.h"
#include "origin.h"
#include "three_points.h"
#include "train/draw.h"
#include "train/landscape.h"
#include "train/method.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct landscape_config {
    task_config task;
    const char *model, *csv;
    size_t samples, points, directions;
    float scale, range;
    bool three_points;
} landscape_config;

#define AT(member) .offset = offsetof(landscape_config, member)

static const cli_option options[] = {
    {.name = "directions",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(directions),
     .min = 1,
     .max = LANDSCAPE_DIRECTIONS_MAX,
     .help = "1: a curve (default); 2: a surface"},
    {.name = "samples",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(samples),
     .min = 1,
     .max = 1e9,
     .help = "the first so many training samples, or all (default)"},
    {.name = "model",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(model),
     .help = "around this model (default: around random weights)"},
    {.name = "scale",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(scale),
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of the random weights (default: 0.01)"},
    {.name = "range",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(range),
     .min = 1e-6,
     .max = 1e9,
     .help = "how far along the directions, which have length 1, to both sides (default: 20)"},
    {.name = "points",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(points),
     .min = 2,
     .max = 10000,
     .help = "along each direction (default: 201 on a curve, 41 on a surface)"},
    {.name = "three-points",
     .kind = OPTION_FLAG,
     AT(three_points),
     .help = "the example of three samples of one feature, whose loss one can follow by hand: its "
             "parts "
             "as functions of one weight"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(csv),
     .help = "write the points to FILE"},
};

struct session {
    const landscape_config *config;
    task task;
    model_file from;
    samples s;
    downhill_weights_f32 sets[LANDSCAPE_DIRECTIONS_MAX + 1];
    landscape_point *points;
    size_t count;
    double seconds;
};

static void session_close(struct session *s)
{
    for (size_t i = 0; i <= LANDSCAPE_DIRECTIONS_MAX; i++)
        weights_free(&s->sets[i]);
    free(s->points);
    model_file_close(&s->from);
    task_close(&s->task);
}

/* To length 1, in the space of normalised features. */
static void normalise_direction(const problem *p, const downhill_weights_f32 *u)
{
    const problem unit = {.data = p->data, .features = p->features, .reg = 1.0f};
    const double length = sqrt(method_penalty(&unit, u));
    for (size_t j = 0; j < u->c; j++) {
        for (size_t k = 0; k < u->d; k++)
            u->w[j * u->ldw + k] = (float)((double)u->w[j * u->ldw + k] / length);
        u->b[j] = (float)((double)u->b[j] / length);
    }
}

static void place_points(struct session *s)
{
    const size_t n = s->config->points, directions = s->config->directions;
    const double range = (double)s->config->range;
    for (size_t i = 0; i < s->count; i++)
        for (size_t v = 0; v < directions; v++) {
            const size_t at = directions == 1 ? i : v == 0 ? i / n : i % n;
            s->points[i].a[v] = range * (2.0 * (double)at / (double)(n - 1) - 1.0);
        }
}

static bool session_open(struct session *s)
{
    const landscape_config *config = s->config;
    const dataset *data = &s->task.data;
    s->count = config->directions == 1 ? config->points : config->points * config->points;
    s->points = memory_new(s->count, sizeof *s->points);
    s->s = data->train;
    s->s.n = config->samples < s->s.n ? config->samples : s->s.n;
    bool good = s->points != NULL;
    for (size_t i = 0; good && i <= config->directions; i++) {
        good = weights_new(data->d, data->c, &s->sets[i]);
        if (good && (i > 0 || config->model == NULL))
            draw_weights(&s->task.problem, config->task.seed, i, i > 0 ? 1.0f : config->scale, NULL,
                         &s->sets[i]);
        else if (good)
            weights_copy(&s->from.weights, &s->sets[i]);
        if (good && i > 0)
            normalise_direction(&s->task.problem, &s->sets[i]);
    }
    if (good)
        place_points(s);
    return good;
}

/* ---- what it says ---- */

static bool write_csv(FILE *file, const void *context)
{
    const struct session *s = context;
    fputs(s->config->directions == 1 ? "a,loss\n" : "a,b,loss\n", file);
    for (size_t i = 0; i < s->count && !ferror(file); i++) {
        const landscape_point *p = &s->points[i];
        if (s->config->directions == 1)
            fprintf(file, "%.9g,%.9g\n", p->a[0], p->loss);
        else
            fprintf(file, "%.9g,%.9g,%.9g\n", p->a[0], p->a[1], p->loss);
    }
    return !ferror(file);
}

static size_t lowest(const struct session *s)
{
    size_t best = 0;
    for (size_t i = 1; i < s->count; i++)
        best = s->points[i].loss < s->points[best].loss ? i : best;
    return best;
}

static void print_all(const struct session *s)
{
    enum { LINES = 11 };
    const landscape_config *config = s->config;
    const size_t best = lowest(s), step = config->points > LINES ? config->points / (LINES - 1) : 1;
    printf("%s, %s loss of %zu training samples at %zu points, %.3f s\n", s->task.data.name,
           task_loss_words[config->task.loss], s->s.n, s->count, s->seconds);
    for (size_t i = 0; i < s->count && config->directions == 1; i += step)
        printf("%12.5g  loss %.6f\n", s->points[i].a[0], s->points[i].loss);
    printf("lowest: %.6f at %.5g", s->points[best].loss, s->points[best].a[0]);
    if (config->directions > 1)
        printf(", %.5g", s->points[best].a[1]);
    putchar('\n');
}

static json_t *results(const struct session *s)
{
    const landscape_config *config = s->config;
    json_t *o = json_object(), *points = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_t *p = json_array();
        for (size_t v = 0; v < config->directions; v++)
            json_array_append_new(p, output_real(s->points[i].a[v]));
        json_array_append_new(p, output_real(s->points[i].loss));
        json_array_append_new(points, p);
    }
    output_set(o, "kind", json_string(config->directions == 1 ? "curve" : "surface"));
    output_set(o, "dataset", json_string(s->task.data.name));
    output_set(o, "model", config->model != NULL ? json_string(config->model) : json_null());
    output_set(o, "loss", json_string(task_loss_words[config->task.loss]));
    output_set(o, "dtype", json_string(feature_words[config->task.dtype]));
    output_set(o, "normalize", json_string(normalise_words[config->task.normalise]));
    output_set(o, "reg", output_real((double)config->task.reg));
    output_set(o, "seed", json_integer((json_int_t)config->task.seed));
    output_set(o, "isa", json_string(downhill_kernels_name(s->task.problem.kernels)));
    output_set(o, "samples", json_integer((json_int_t)s->s.n));
    output_set(o, "points_per_direction", json_integer((json_int_t)config->points));
    output_set(o, "seconds", output_real(s->seconds));
    output_set(o, "points", points);
    return o;
}

/* ---- the command ---- */

static int look_around(struct session *s)
{
    const landscape_config *config = s->config;
    int code = origin_open_features(&s->task, config->model, &s->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level("landscape", config->task.isa, task_element(&config->task),
                           &s->task.problem.kernels))
        return EXIT_ISA;
    if (!session_open(s))
        return problem_failed(DOWNHILL_ERR_WORKSPACE);
    interrupt_catch();
    bool done;
    const double start = clock_seconds();
    code = landscape_losses(&s->task.problem, &s->s, s->sets, config->directions, s->points,
                            s->count, &done);
    s->seconds = clock_seconds() - start;
    if (code != EXIT_OK || !done)
        return code != EXIT_OK ? code : 128 + interrupt_signal;
    if (task_prints(&config->task))
        print_all(s);
    if (config->csv != NULL)
        code = output_file(config->csv, write_csv, s);
    const int written = task_write(&s->task, "landscape", results(s));
    return code != EXIT_OK ? code : written;
}

static int run(const cli_command *self, int argc, char **argv)
{
    landscape_config config = {.task = TASK_DEFAULTS,
                               .samples = SIZE_MAX,
                               .directions = 1,
                               .scale = 0.01f,
                               .range = 20.0f};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_GO_ON)
        return code;
    if (config.csv != NULL && (code = output_check(config.csv)) != EXIT_OK)
        return code;
    if (config.points == 0)
        config.points = config.directions == 1 ? 201 : 41;
    struct session s = {.config = &config};
    if ((code = origin_read("landscape", config.model, &config.task, &s.from)) != CLI_GO_ON)
        return code;
    code = task_settle("landscape", &config.task);
    if (code == CLI_GO_ON && config.three_points) {
        code = three_points_show(&config.task, config.csv, (double)config.range, config.points);
        model_file_close(&s.from);
    } else if (code == CLI_GO_ON &&
               (code = task_open_data("landscape", &config.task, NULL, &s.task)) == EXIT_OK) {
        code = look_around(&s);
        session_close(&s);
    } else {
        model_file_close(&s.from);
    }
    return code;
}

const cli_command cli_landscape = {.name = "landscape",
                                   .operands = "",
                                   .summary =
                                       "The loss along random directions in the space of weights.",
                                   .groups = {&task_data_options, &task_loss_options},
                                   .options = options,
                                   .n_options = sizeof options / sizeof options[0],
                                   .run = run};
