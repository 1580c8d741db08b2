/* SPDX-License-Identifier: MIT
 *
 * downhill step-sweep: the loss after one step down the gradient, for step sizes of many magnitudes. */
#include "base/error.h"
#include "base/output.h"
#include "base/real.h"
#include "train/model.h"
#include "vicinity.h"

#include <math.h>
#include <stdio.h>

typedef struct sweep_config {
    vicinity_config vicinity;
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

/* -∇, of the loss and of the penalty. */
static downhill_status find_gradient(const vicinity *around)
{
    const problem *of = &around->task.problem;
    char why[128];
    model *m = model_open(&around->task.features, of->threads, of->cpus, NULL, of->kernels, why,
                          sizeof why);
    if (m == NULL)
        return DOWNHILL_ERR_WORKSPACE;
    weights_copy(&around->sets[0], model_weights(m));
    downhill_status status = model_changed(m);
    if (status == DOWNHILL_OK)
        status = model_add_mean_gradient(m, &around->s, of->loss, of->stop, &around->sets[1]);
    /* The penalty has none for the bias. */
    const downhill_weights_f32 to = {around->sets[1].w, around->sets[1].ldw, NULL,
                                     around->sets[1].d, around->sets[1].c};
    const downhill_weights_f32 w = {around->sets[0].w, around->sets[0].ldw, NULL, around->sets[0].d,
                                    around->sets[0].c};
    if (status == DOWNHILL_OK)
        status = model_axpby(m, -2.0f * of->reg, &w, 1.0f, &to);
    model_close(m);
    return status;
}

/* The first one: no step. */
static void place_points(const sweep_config *config, const vicinity *around)
{
    const double ratio = config->to / config->from, last = (double)(config->points - 1);
    for (size_t i = 0; i < config->points; i++)
        around->points[i + 1].a[0] = config->from * pow(ratio, (double)i / last);
}

/* ---- what it says ---- */

static void print_all(const vicinity *around, size_t lowest)
{
    char text[REAL_FIXED_TEXT];
    printf("%s, %s loss of %zu training samples\n%-12s loss %s\n", around->task.data.name,
           task_loss_words[around->config->task.loss], around->s.n, "no step",
           real_fixed(around->points[0].loss, 6, text));
    for (size_t i = 1; i < around->count; i++)
        printf("step %.1e loss %s\n", around->points[i].a[0],
               real_fixed(around->points[i].loss, 6, text));
    if (lowest > 0 && lowest != SIZE_MAX)
        printf("lowest: %.6f after a step of %.1e\n", around->points[lowest].loss,
               around->points[lowest].a[0]);
    else
        puts("no step lowers the loss");
}

/* ---- the command ---- */

static int sweep(const cli_command *self, sweep_config *config)
{
    vicinity around;
    int code = vicinity_open(self, &config->vicinity, 1, config->points + 1, &around);
    if (code != EXIT_OK)
        return code;
    place_points(config, &around);
    const downhill_status status = find_gradient(&around);
    code = status == DOWNHILL_OK ? vicinity_losses(&around) : problem_failed(status);
    if (code == EXIT_OK) {
        const size_t lowest = vicinity_lowest(&around, 0);
        if (task_prints(&config->vicinity.task))
            print_all(&around, lowest);
        code = vicinity_write(&around, "step_size,loss_after_step", "step_sweep", json_object());
    }
    vicinity_close(&around);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    sweep_config config = {.vicinity = VICINITY_DEFAULTS(OUTPUT_STEP_SWEEP, OUTPUT_STEP_SWEEP_CSV),
                           .points = 10,
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
    if ((code = vicinity_check_files(self, &config.vicinity)) != CLI_GO_ON)
        return code;
    static const char *const of_random_weights[] = {"seed", NULL};
    if (config.vicinity.model != NULL &&
        (code = cli_refuse_given(self, &config, of_random_weights, "with --model")) != CLI_GO_ON)
        return code;
    return sweep(self, &config);
}

const cli_command cli_step_sweep = {
    .name = "step-sweep",
    .operands = "",
    .summary = "Compute the loss after one step, for step sizes of many magnitudes.",
    .groups = {&task_data_options, &task_loss_options, &vicinity_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .given = offsetof(sweep_config, vicinity.given),
    .run = run};
