/* SPDX-License-Identifier: MIT
 *
 * downhill step-sweep: computes the loss after one step down the gradient, for step sizes of many
 * magnitudes. */
#include "base/error.h"
#include "base/output.h"
#include "base/real.h"
#include "loss_surface.h"
#include "train/model.h"

#include <math.h>
#include <stdio.h>

typedef struct sweep_config {
    loss_surface_config surface;
    size_t points;
    double from, to;
} sweep_config;

#define AT(member) .offset = offsetof(sweep_config, member)

static const cli_option options[] = {
    {.name = "from",
     .heading = "Sweep",
     .kind = OPTION_DOUBLE,
     .metavar = "X",
     AT(from),
     .min = 1e-100,
     .max = 1e100,
     .help = "smallest step size (default: 1e-10)"},
    {.name = "to",
     .kind = OPTION_DOUBLE,
     .metavar = "X",
     AT(to),
     .min = 1e-100,
     .max = 1e100,
     .help = "largest step size (default: 1e-1)"},
    {.name = "points",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(points),
     .min = 2,
     .max = 10000,
     .help = "number of step sizes, evenly spaced on a logarithmic scale (default: 10)"},
};

/* ---- the points ---- */

/* Computes the negative gradient of loss and penalty, into sets[1]. */
static downhill_status find_gradient(const loss_surface *surface)
{
    const problem *p = &surface->task.problem;
    const workforce by = problem_workforce(p);
    char why[128];
    model *m = model_open(&surface->task.features, &by, p->kernels, why, sizeof why);
    if (m == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    weights_copy(&surface->sets[0], model_weights(m));
    downhill_status status = model_changed(m);
    if (status == DOWNHILL_OK)
        status = model_add_mean_gradient(m, &surface->s, p->loss, p->stop, &surface->sets[1]);
    /* The penalty does not depend on the bias. */
    const downhill_weights_f32 to = {surface->sets[1].w, surface->sets[1].ldw, NULL,
                                     surface->sets[1].d, surface->sets[1].c};
    const downhill_weights_f32 w = {surface->sets[0].w, surface->sets[0].ldw, NULL,
                                    surface->sets[0].d, surface->sets[0].c};
    if (status == DOWNHILL_OK)
        status = model_axpby(m, -2.0f * p->reg, &w, 1.0f, &to);
    model_close(m);
    return status;
}

/* Sets the step sizes. Point 0 stays 0: no step. */
static void place_points(const sweep_config *config, const loss_surface *surface)
{
    const double ratio = config->to / config->from, last = (double)(config->points - 1);
    for (size_t i = 0; i < config->points; i++)
        surface->points[i + 1].a[0] = config->from * pow(ratio, (double)i / last);
}

/* ---- output ---- */

static void print_all(const loss_surface *surface, size_t lowest)
{
    char text[REAL_FIXED_TEXT];
    printf("%s, %s loss of %zu training samples\n%-12s loss %s\n", surface->task.data.name,
           task_loss_words[surface->config->task.loss], surface->s.n, "no step",
           real_fixed(surface->points[0].loss, 6, text));
    for (size_t i = 1; i < surface->count; i++)
        printf("step %.1e loss %s\n", surface->points[i].a[0],
               real_fixed(surface->points[i].loss, 6, text));
    if (lowest > 0 && lowest != SIZE_MAX)
        printf("lowest: %.6f after a step of %.1e\n", surface->points[lowest].loss,
               surface->points[lowest].a[0]);
    else
        puts("no step lowers the loss");
}

/* ---- the command ---- */

static int sweep(const cli_command *self, sweep_config *config)
{
    loss_surface surface;
    int code = loss_surface_open(self, &config->surface, 1, config->points + 1, &surface);
    if (code != EXIT_OK)
        return code;
    place_points(config, &surface);
    const downhill_status status = find_gradient(&surface);
    code = status == DOWNHILL_OK ? loss_surface_losses(&surface) : problem_failed(status);
    if (code == EXIT_OK) {
        const size_t lowest = loss_surface_lowest(&surface, 0);
        if (task_prints(&config->surface.task))
            print_all(&surface, lowest);
        code =
            loss_surface_write(&surface, "step_size,loss_after_step", "step_sweep", json_object());
    }
    loss_surface_close(&surface);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    sweep_config config = {.surface =
                               LOSS_SURFACE_DEFAULTS(OUTPUT_STEP_SWEEP, OUTPUT_STEP_SWEEP_CSV),
                           .points = 10,
                           .from = 1e-10,
                           .to = 1e-1};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    if (config.from >= config.to) {
        error_line("step-sweep: --from %g: is not below --to %g; swap them", config.from,
                   config.to);
        return EXIT_USAGE;
    }
    if ((code = loss_surface_check_files(self, &config.surface)) != CLI_CONTINUE)
        return code;
    static const char *const of_random_weights[] = {"seed", NULL};
    if (config.surface.model != NULL &&
        (code = cli_refuse_given(self, &config, of_random_weights, "with --model")) != CLI_CONTINUE)
        return code;
    return sweep(self, &config);
}

const cli_command cli_step_sweep = {
    .name = "step-sweep",
    .operands = "",
    .summary = "Compute the loss after one step, for step sizes of many magnitudes.",
    .groups = {&task_data_options, &task_one_level, &task_run_options, &task_loss_options,
               &loss_surface_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .given = offsetof(sweep_config, surface.given),
    .run = run};
