/* SPDX-License-Identifier: MIT
 *
 * downhill gradcheck: checks the gradient of every variant against finite differences. */
#include "base/error.h"
#include "base/output.h"
#include "base/progress.h"
#include "base/real.h"
#include "interrupt.h"
#include "task.h"
#include "train/gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct gradcheck_config {
    task_config task;
    size_t samples, coordinates;
    float scale;
    double h, tolerance;
    uint64_t given; /* bit i: option i was given (cli_is_given()) */
} gradcheck_config;

#define AT(member) .offset = offsetof(gradcheck_config, member)

static const cli_option options[] = {
    {.name = "samples",
     .heading = "Check",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(samples),
     .min = 1,
     .max = GRADCHECK_SAMPLES_MAX,
     .help = "training samples, drawn at random (default: 100)"},
    {.name = "coordinates",
     .kind = OPTION_COUNT,
     .metavar = "N",
     AT(coordinates),
     .min = 1,
     .max = 1e9,
     .help = "weights and biases to check, drawn at random, or all (default)"},
    {.name = "scale",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(scale),
     .min = 1e-12,
     .max = 1e3,
     .help = "standard deviation of the random weights (default: 0.1, softmax 0.01)"},
    {.name = "h",
     .kind = OPTION_DOUBLE,
     .metavar = "X",
     AT(h),
     .min = 1e-9,
     .max = 1,
     .help = "distance of the finite differences (default: 1e-5)"},
    {.name = "tolerance",
     .kind = OPTION_DOUBLE,
     .metavar = "X",
     AT(tolerance),
     .min = 0,
     .max = 1,
     .help = "maximum relative error (default: 1e-6)"},
};

/* Cost of one class, sample and coordinate, as the number of multiply-adds of scores that take as
 * long. */
#define COORDINATE_WORK 800.0

/* A combination of loss and feature type. */
struct kind {
    int loss, dtype;
};

static size_t kinds_to_check(const task_config *config, bool bytes, struct kind kinds[4])
{
    static const struct kind all[] = {{DOWNHILL_HINGE, FEATURES_U8},
                                      {DOWNHILL_HINGE, FEATURES_F32},
                                      {DOWNHILL_SOFTMAX, FEATURES_U8},
                                      {DOWNHILL_SOFTMAX, FEATURES_F32}};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((config->loss == TASK_AUTOMATIC || config->loss == all[i].loss) &&
            (config->dtype == TASK_AUTOMATIC || config->dtype == all[i].dtype) &&
            (bytes || all[i].dtype == FEATURES_F32))
            kinds[count++] = all[i];
    return count;
}

struct session {
    const gradcheck_config *config;
    task task;
    json_t *rows;
    const downhill_kernels *levels[LEVELS_MAX]; /* kernel tables to check */
    size_t n_levels;
    size_t wrong; /* failed checks */
    bool print;
};

static void report(struct session *s, const struct kind *kind, const char *isa, float reg,
                   const gradcheck_result *r)
{
    /* A check from which most coordinates were excluded proves nothing. */
    const bool enough = r->checked >= r->kinks && r->checked > 0;
    const bool good = enough && r->worst <= s->config->tolerance && r->worst_step <= 1.0;
    s->wrong += !good;
    char text[REAL_TEXT], error[REAL_TEXT], step[REAL_TEXT];
    snprintf(error, sizeof error, "%.2g", r->worst);
    snprintf(step, sizeof step, "%.2g", r->worst_step);
    if (s->print)
        printf("%-8s %-4s %-12s %8s %8zu %6zu %9s %6s  %s\n", task_loss_words[kind->loss],
               feature_words[kind->dtype], isa, real_f32(reg, text), r->checked, r->kinks,
               isfinite(r->worst) ? error : "-", isfinite(r->worst_step) ? step : "-",
               good              ? "right"
               : r->checked == 0 ? "NOTHING TO CHECK"
               : !enough         ? "TOO FEW TO CHECK"
                                 : "WRONG");
    json_t *o = json_object();
    output_set(o, "loss", json_string(task_loss_words[kind->loss]));
    output_set(o, "dtype", json_string(feature_words[kind->dtype]));
    output_set(o, "isa", json_string(isa));
    output_set(o, "reg", output_f32(reg));
    output_set(o, "checked", json_integer((json_int_t)r->checked));
    output_set(o, "kinks", json_integer((json_int_t)r->kinks));
    output_set(o, "worst_relative_error", output_real(r->worst));
    output_set(o, "worst_step_error_of_bound", output_real(r->worst_step));
    output_set(o, "right", json_boolean(good));
    json_array_append_new(s->rows, o);
    if (good)
        return;
    if (!enough)
        error_line("gradcheck: %zu of %zu coordinates have a kink within h; use a smaller --h or "
                   "fewer --samples",
                   r->kinks, r->kinks + r->checked);
    else if (!isfinite(r->worst_step) || !isfinite(r->worst))
        error_line("gradcheck: %s, %s, %s: the gradient or the step overflows f32; try --normalize "
                   "standardize",
                   isa, task_loss_words[kind->loss], feature_words[kind->dtype]);
    else if (r->worst <= s->config->tolerance)
        error_line(
            "gradcheck: %s, %s, %s: the gradient is right, but the training step is wrong: class "
            "%zu, feature %zu: the error is %.2g times the bound for rounding; run "
            "`downhill verify --isa %s`",
            isa, task_loss_words[kind->loss], feature_words[kind->dtype], r->step_class,
            r->step_feature, r->worst_step, isa);
    else
        error_line("gradcheck: %s, %s, %s: class %zu, %s %zu: analytic %.9g, numerical %.9g, "
                   "relative error %.2g; run `downhill verify --isa %s`",
                   isa, task_loss_words[kind->loss], feature_words[kind->dtype], r->worst_class,
                   r->worst_feature == s->task.data.d ? "bias, as feature" : "feature",
                   r->worst_feature, r->worst_analytic, r->worst_numerical, r->worst, isa);
}

/* Checks every level that has kernels of its own for this feature type, with and without a
 * penalty. */
static int check_kind(struct session *s, const struct kind *kind)
{
    const task_config *common = &s->config->task;
    const enum element element = kind->dtype == FEATURES_U8 ? ELEMENT_U8 : ELEMENT_F32;
    /* The hinge loss needs margins on both sides of the kink. With softmax, the error of a score in
     * f32 becomes an error of the probability and grows with the score, so the weights are
     * smaller. */
    const float scale = s->config->scale > 0.0f        ? s->config->scale
                        : kind->loss == DOWNHILL_HINGE ? 0.1f
                                                       : 0.01f;
    const gradcheck_options options_of = {.samples = s->config->samples,
                                          .coordinates = s->config->coordinates,
                                          .h = s->config->h,
                                          .scale = scale,
                                          .tolerance = s->config->tolerance,
                                          .seed = common->seed};
    features_close(&s->task.features);
    if (!features_open((feature_type)kind->dtype, &s->task.data, (normalise_kind)common->normalise,
                       common->threads, &s->task.features))
        return problem_failed(DOWNHILL_ERR_WORKSPACE);
    s->task.problem.loss.kind = (downhill_loss_kind)kind->loss;
    int code = EXIT_OK;
    for (size_t i = 0; i < s->n_levels; i++)
        for (int with = 0; with < (common->reg > 0.0f ? 2 : 1); with++) {
            if (levels_repeat(s->levels, i, element) || code != EXIT_OK || interrupt_signal != 0)
                continue;
            gradcheck_result result;
            s->task.problem.kernels = s->levels[i];
            s->task.problem.reg = with ? common->reg : 0.0f;
            code = gradcheck_run(&s->task.problem, &options_of, &result);
            if (code == EXIT_OK && interrupt_signal == 0)
                report(s, kind, downhill_kernels_name(s->levels[i]), s->task.problem.reg, &result);
        }
    return code;
}

/* Returns the work per combination of loss and type. Also counts levels that repeat the kernels of
 * others. */
static double work(const struct session *s)
{
    const gradcheck_config *config = s->config;
    const dataset *data = &s->task.data;
    const double n = fmin((double)config->samples, (double)data->train.n), c = (double)data->c,
                 all = c * ((double)data->d + 1.0);
    const double runs = (double)s->n_levels * (config->task.reg > 0.0f ? 2.0 : 1.0);
    return COORDINATE_WORK * runs * n * c * fmin((double)config->coordinates, all);
}

static int check_all(struct session *s)
{
    struct kind kinds[4];
    const task_config *common = &s->config->task;
    const bool bytes = s->task.data.stored[0].u8 != NULL;
    const size_t count = kinds_to_check(common, bytes, kinds);
    if (count == 0) {
        error_line("gradcheck: --dtype u8: the features of %s are f32; use --dtype f32",
                   s->task.data.name);
        return EXIT_USAGE;
    }
    if (s->print)
        printf("%s, seed %llu: %zu samples, h %g, tolerance %g; step: error divided by its bound\n"
               "%-8s %-4s %-12s %8s %8s %6s %9s %6s\n",
               s->task.data.name, (unsigned long long)common->seed,
               s->config->samples < s->task.data.train.n ? s->config->samples
                                                         : s->task.data.train.n,
               s->config->h, s->config->tolerance, "loss", "type", "ISA level", "penalty",
               "checked", "kinks", "error", "step");
    if (s->config->task.json == NULL)
        task_warn_if_long("gradcheck", (double)count * work(s), 1, "--json to keep the results");
    interrupt_catch();
    int code = EXIT_OK;
    for (size_t i = 0; i < count && code == EXIT_OK; i++)
        code = check_kind(s, &kinds[i]);
    if (code != EXIT_OK)
        return code;
    if (interrupt_signal != 0)
        return interrupt_end("gradcheck");
    code = task_write(&s->task, "gradcheck", json_incref(s->rows));
    return code == EXIT_OK && s->wrong > 0 ? EXIT_CHECK : code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    gradcheck_config config = {.task = TASK_DEFAULTS,
                               .samples = 100,
                               .coordinates = SIZE_MAX,
                               .h = 1e-5,
                               .tolerance = 1e-6};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    struct session s = {.config = &config};
    task_config settled = config.task; /* check_all() chooses the losses and types */
    if ((code = task_settle("gradcheck", &settled, OUTPUT_GRADCHECK)) != CLI_CONTINUE)
        return code;
    if (settled.loss == DOWNHILL_SOFTMAX &&
        (code = cli_refuse_given(self, &config, task_of_hinge, "for the softmax loss")) !=
            CLI_CONTINUE)
        return code;
    s.n_levels = levels_to_run(config.task.isa, s.levels);
    if (s.n_levels == 0)
        return EXIT_ISA;
    config.task.normalise = settled.normalise;
    config.task.reg = settled.reg;
    s.print = task_prints(&config.task);
    if ((code = task_open_data("gradcheck", &settled, NULL, &s.task)) != EXIT_OK)
        return code;
    s.rows = json_array();
    code = check_all(&s);
    json_decref(s.rows);
    task_close(&s.task);
    return code;
}

const cli_command cli_gradcheck = {
    .name = "gradcheck",
    .operands = "",
    .summary = "Check the gradient of every variant against finite differences.",
    .groups = {&task_data_options, &task_several_levels, &task_run_options, &task_loss_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .given = offsetof(gradcheck_config, given),
    .run = run};
