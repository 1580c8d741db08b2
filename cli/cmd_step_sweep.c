/* SPDX-License-Identifier: MIT
 *
 * downhill step-sweep: the loss after one step down the gradient, for step sizes of many magnitudes. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "interrupt.h"
#include "origin.h"
#include "train/draw.h"
#include "train/landscape.h"
#include "train/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct sweep_config {
    task_config task;
    const char *model, *csv;
    size_t samples, points;
    float scale;
    double from, to;
} sweep_config;

#define AT(member) .offset = offsetof(sweep_config, member)

static const cli_option options[] = {
    {.name = "from",
     .kind = OPTION_SHARE,
     .metavar = "X",
     AT(from),
     .min = 1e-300,
     .max = 1e300,
     .help = "the smallest step size (default: 1e-10)"},
    {.name = "to",
     .kind = OPTION_SHARE,
     .metavar = "X",
     AT(to),
     .min = 1e-300,
     .max = 1e300,
     .help = "the largest (default: 1e-1)"},
    {.name = "points",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(points),
     .min = 2,
     .max = 10000,
     .help = "step sizes, at equal ratios (default: 10)"},
    {.name = "samples",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(samples),
     .min = 1,
     .max = 1e9,
     .help = "the first so many training samples, or all (default), for gradient and loss"},
    {.name = "model",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(model),
     .help = "from this model (default: from random weights)"},
    {.name = "scale",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(scale),
     .min = 0,
     .max = 1e6,
     .help = "standard deviation of the random weights (default: 0.01)"},
    {.name = "csv",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(csv),
     .help = "write the points to FILE"},
};

struct session {
    const sweep_config *config;
    task task;
    model_file from;
    samples s;
    downhill_weights_f32 sets[2]; /* where it starts; down the gradient */
    landscape_point *points;      /* the first one: no step */
    size_t count;
};

/* W and -∇. The gradient of so many samples is summed at once as the sums of integers have room for. */
static downhill_status find_gradient(struct session *s)
{
    enum { BLOCK_ROWS = 4096 };
    const problem *p = &s->task.problem;
    char why[128];
    model *m =
        model_open(&s->task.features, p->threads, p->cpus, NULL, p->kernels, why, sizeof why);
    if (m == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    weights_copy(&s->sets[0], model_weights(m));
    downhill_status status = model_changed(m);
    for (size_t first = 0, n; first < s->s.n && status == DOWNHILL_OK; first += n) {
        const size_t left = s->s.n - first;
        n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        status = model_gradient(m, s->s.rows + first, n, left - n, p->loss, NULL, NULL);
        if (status == DOWNHILL_OK)
            status = model_add_gradient(m, &s->sets[1], 1.0f, 1.0f / (float)s->s.n);
    }
    /* The penalty has none for the bias. */
    const downhill_weights_f32 to = {s->sets[1].w, s->sets[1].ldw, NULL, s->sets[1].d,
                                     s->sets[1].c};
    const downhill_weights_f32 w = {s->sets[0].w, s->sets[0].ldw, NULL, s->sets[0].d, s->sets[0].c};
    if (status == DOWNHILL_OK)
        status = model_add(m, &to, &w, 1.0f, 2.0f * p->reg);
    model_close(m);
    return status;
}

static bool session_open(struct session *s)
{
    const sweep_config *config = s->config;
    const dataset *data = &s->task.data;
    s->count = config->points + 1;
    s->points = memory_new(s->count, sizeof *s->points);
    s->s = data->train;
    s->s.n = config->samples < s->s.n ? config->samples : s->s.n;
    if (s->points == NULL || !weights_new(data->d, data->c, &s->sets[0]) ||
        !weights_new(data->d, data->c, &s->sets[1]))
        return false;
    if (config->model != NULL)
        weights_copy(&s->from.weights, &s->sets[0]);
    else
        draw_weights(&s->task.problem, config->task.seed, 0, config->scale, NULL, &s->sets[0]);
    for (size_t i = 0; i < config->points; i++)
        s->points[i + 1].a[0] =
            config->from * pow(config->to / config->from, (double)i / (double)(config->points - 1));
    return true;
}

static void session_close(struct session *s)
{
    weights_free(&s->sets[0]);
    weights_free(&s->sets[1]);
    free(s->points);
    model_file_close(&s->from);
    task_close(&s->task);
}

/* ---- what it says ---- */

static bool write_csv(FILE *file, const void *context)
{
    const struct session *s = context;
    fputs("step,loss\n", file);
    for (size_t i = 0; i < s->count; i++)
        fprintf(file, "%.9g,%.9g\n", s->points[i].a[0], s->points[i].loss);
    return !ferror(file);
}

static void print_all(const struct session *s)
{
    printf("%s, %s loss of %zu training samples\n%-12s loss %.6f\n", s->task.data.name,
           task_loss_words[s->config->task.loss], s->s.n, "no step", s->points[0].loss);
    size_t best = 0;
    for (size_t i = 1; i < s->count; i++) {
        printf("step %.1e loss %.6f\n", s->points[i].a[0], s->points[i].loss);
        best = s->points[i].loss < s->points[best].loss ? i : best;
    }
    if (best > 0)
        printf("lowest: %.6f after a step of %.1e\n", s->points[best].loss, s->points[best].a[0]);
    else
        puts("no step lowers the loss");
}

static json_t *results(const struct session *s)
{
    const sweep_config *config = s->config;
    json_t *o = json_object(), *points = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_t *p = json_array();
        json_array_append_new(p, output_real(s->points[i].a[0]));
        json_array_append_new(p, output_real(s->points[i].loss));
        json_array_append_new(points, p);
    }
    output_set(o, "dataset", json_string(s->task.data.name));
    output_set(o, "model", config->model != NULL ? json_string(config->model) : json_null());
    output_set(o, "loss", json_string(task_loss_words[config->task.loss]));
    output_set(o, "dtype", json_string(feature_words[config->task.dtype]));
    output_set(o, "normalize", json_string(normalise_words[config->task.normalise]));
    output_set(o, "reg", output_real((double)config->task.reg));
    output_set(o, "seed", json_integer((json_int_t)config->task.seed));
    output_set(o, "isa", json_string(downhill_kernels_name(s->task.problem.kernels)));
    output_set(o, "samples", json_integer((json_int_t)s->s.n));
    output_set(o, "points", points);
    return o;
}

/* ---- the command ---- */

static int sweep(struct session *s)
{
    const sweep_config *config = s->config;
    int code = origin_open_features(&s->task, config->model, &s->from);
    if (code != EXIT_OK)
        return code;
    if (!task_choose_level("step-sweep", config->task.isa, task_element(&config->task),
                           &s->task.problem.kernels))
        return EXIT_ISA;
    interrupt_catch();
    const downhill_status status = session_open(s) ? find_gradient(s) : DOWNHILL_ERR_WORKSPACE;
    if (status != DOWNHILL_OK)
        return problem_failed(status);
    bool done;
    code = landscape_losses(&s->task.problem, &s->s, s->sets, 1, s->points, s->count, &done);
    if (code != EXIT_OK || !done)
        return code != EXIT_OK ? code : 128 + interrupt_signal;
    if (task_prints(&config->task))
        print_all(s);
    if (config->csv != NULL)
        code = output_file(config->csv, write_csv, s);
    const int written = task_write(&s->task, "step_sweep", results(s));
    return code != EXIT_OK ? code : written;
}

static int run(const cli_command *self, int argc, char **argv)
{
    sweep_config config = {.task = TASK_DEFAULTS,
                           .samples = SIZE_MAX,
                           .points = 10,
                           .scale = 0.01f,
                           .from = 1e-10,
                           .to = 1e-1};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_GO_ON)
        return code;
    if (config.from >= config.to) {
        error_line("step-sweep: --from %g: is not below --to %g; swap them", config.from,
                   config.to);
        return EXIT_USAGE;
    }
    if (config.csv != NULL && (code = output_check(config.csv)) != EXIT_OK)
        return code;
    struct session s = {.config = &config};
    if ((code = origin_read("step-sweep", config.model, &config.task, &s.from)) != CLI_GO_ON)
        return code;
    code = task_settle("step-sweep", &config.task);
    if (code == CLI_GO_ON &&
        (code = task_open_data("step-sweep", &config.task, NULL, &s.task)) == EXIT_OK) {
        code = sweep(&s);
        session_close(&s);
    } else {
        model_file_close(&s.from);
    }
    return code;
}

const cli_command cli_step_sweep = {
    .name = "step-sweep",
    .operands = "",
    .summary = "The loss after one step, for step sizes of many magnitudes.",
    .groups = {&task_data_options, &task_loss_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
