/* SPDX-License-Identifier: MIT
 *
 * downhill landscape: computes the loss along random directions. */
#include "base/error.h"
#include "base/output.h"
#include "base/real.h"
#include "loss_surface.h"
#include "three_points.h"
#include "train/draw.h"
#include "train/method.h"

#include <math.h>
#include <stdio.h>

typedef struct landscape_config {
    loss_surface_config surface;
    size_t points, directions;
    float range;
    bool three_points;
} landscape_config;

#define AT(member) .offset = offsetof(landscape_config, member)

static const cli_option options[] = {
    {.name = "directions",
     .heading = "Landscape",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(directions),
     .min = 1,
     .max = LANDSCAPE_DIRECTIONS_MAX,
     .help = "1: a curve (default); 2: a surface"},
    {.name = "range",
     .kind = OPTION_REAL,
     .metavar = "X",
     AT(range),
     .min = 1e-6,
     .max = 1e9,
     .help = "distance to both sides along each direction, which has length 1 (default: 20)"},
    {.name = "points",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(points),
     .min = 2,
     .max = 10000,
     .help = "points per direction (default: 201 on a curve, 41 on a surface)"},
    {.name = "three-points",
     .kind = OPTION_FLAG,
     AT(three_points),
     .help = "instead: three samples of one feature, and the loss and its parts as "
             "functions of one weight"},
};

/* ---- the points ---- */

/* Scales a direction to length 1 in the space of normalised features. */
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

static void place_points(const landscape_config *config, const loss_surface *surface)
{
    const size_t n = config->points;
    const double range = real_of_f32(config->range);
    for (size_t i = 0; i < surface->count; i++)
        for (size_t v = 0; v < surface->directions; v++) {
            const size_t at = surface->directions == 1 ? i : v == 0 ? i / n : i % n;
            surface->points[i].a[v] = range * (2.0 * (double)at / (double)(n - 1) - 1.0);
        }
}

static void draw_directions(const loss_surface *surface)
{
    for (size_t i = 1; i <= surface->directions; i++) {
        draw_weights(&surface->task.problem, surface->config->task.seed, i, 1.0f, NULL,
                     &surface->sets[i]);
        normalise_direction(&surface->task.problem, &surface->sets[i]);
    }
}

/* ---- output ---- */

static void print_all(const landscape_config *config, const loss_surface *surface, size_t lowest)
{
    enum { LINES = 11 };
    const size_t step = config->points > LINES ? config->points / (LINES - 1) : 1;
    char text[REAL_FIXED_TEXT];
    printf("%s, %s loss of %zu training samples at %zu points, %.3f s\n", surface->task.data.name,
           task_loss_words[surface->config->task.loss], surface->s.n, surface->count,
           surface->seconds);
    for (size_t i = 0; surface->directions == 1 && i < surface->count; i += step)
        printf("%12.5g  loss %s\n", surface->points[i].a[0],
               real_fixed(surface->points[i].loss, 6, text));
    if (lowest == SIZE_MAX)
        return;
    printf("lowest: %.6f at %.5g", surface->points[lowest].loss, surface->points[lowest].a[0]);
    if (surface->directions > 1)
        printf(", %.5g", surface->points[lowest].a[1]);
    putchar('\n');
}

static json_t *results(const landscape_config *config, const loss_surface *surface)
{
    json_t *o = json_object();
    output_set(o, "kind", json_string(surface->directions == 1 ? "curve" : "surface"));
    output_set(o, "points_per_direction", json_integer((json_int_t)config->points));
    return o;
}

/* ---- the command ---- */

static int compute_surface(const cli_command *self, landscape_config *config)
{
    loss_surface surface;
    const size_t n = config->points;
    int code = loss_surface_open(self, &config->surface, config->directions,
                                 config->directions == 1 ? n : n * n, &surface);
    if (code != EXIT_OK)
        return code;
    draw_directions(&surface);
    place_points(config, &surface);
    code = loss_surface_losses(&surface);
    if (code == EXIT_OK) {
        const size_t lowest = loss_surface_lowest(&surface, 0);
        if (task_prints(&config->surface.task))
            print_all(config, &surface, lowest);
        code =
            loss_surface_write(&surface,
                               config->directions == 1 ? "distance_1,loss_at_distance"
                                                       : "distance_1,distance_2,loss_at_distance",
                               "landscape", results(config, &surface));
    }
    loss_surface_close(&surface);
    return code;
}

static int show_three_points(const cli_command *self, landscape_config *config)
{
    static const char *const of_data[] = {"data",      "mmap",  "threads", "dtype",
                                          "normalize", "reg",   "seed",    "directions",
                                          "samples",   "model", "scale",   NULL};
    loss_surface_config *common = &config->surface;
    int code = cli_refuse_given(self, config, of_data, "with --three-points");
    if (code == CLI_CONTINUE)
        code = task_settle(self->name, &common->task, common->json_kind);
    return code == CLI_CONTINUE ? three_points_show(&common->task, common->csv,
                                                    real_of_f32(config->range), config->points)
                                : code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    landscape_config config = {.surface =
                                   LOSS_SURFACE_DEFAULTS(OUTPUT_LANDSCAPE, OUTPUT_LANDSCAPE_CSV),
                               .directions = 1,
                               .range = 20.0f};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    if ((code = loss_surface_check_files(self, &config.surface)) != CLI_CONTINUE)
        return code;
    if (config.points == 0)
        config.points = config.directions == 1 ? 201 : 41;
    config.surface.prints_time = !config.three_points;
    return config.three_points ? show_three_points(self, &config) : compute_surface(self, &config);
}

const cli_command cli_landscape = {
    .name = "landscape",
    .operands = "",
    .summary = "Compute the loss along random directions in the space of weights.",
    .groups = {&task_data_options, &task_one_level, &task_run_options, &task_loss_options,
               &loss_surface_options},
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .given = offsetof(landscape_config, surface.given),
    .run = run};
