/* SPDX-License-Identifier: MIT */
#include "three_points.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 3 };

/* Chosen so that the bends of the three losses lie at different weights. */
static const float x[CLASSES] = {1.0f, -1.5f, 0.5f}, other_weights[CLASSES] = {0.0f, -0.5f, 1.0f};

struct curve {
    size_t n;
    double *points; /* n × (weight, three losses, their mean) */
};

enum { COLUMNS = CLASSES + 2 };

static downhill_status losses_at(const downhill_kernels *kernels, float margin, double *row)
{
    float w[CLASSES] = {(float)row[0], other_weights[1], other_weights[2]};
    float scores[CLASSES * CLASSES], dscores[CLASSES];
    const downhill_batch_f32 batch = {.x = x, .ldx = 1, .x_rows = CLASSES, .n = CLASSES};
    const downhill_weights_f32 weights = {w, 1, NULL, 1, CLASSES};
    const downhill_matrix_f32 all = {scores, CLASSES, CLASSES, CLASSES},
                              gradient = {dscores, CLASSES, 1, CLASSES};
    downhill_status status = downhill_score_f32(kernels, &batch, &weights, &all);
    row[COLUMNS - 1] = 0.0;
    for (int32_t i = 0; i < CLASSES && status == DOWNHILL_OK; i++) {
        const downhill_matrix_f32 one = {scores + i * CLASSES, CLASSES, 1, CLASSES};
        status = downhill_hinge_f32(kernels, &one, &i, margin, &gradient, &row[1 + i]);
        row[COLUMNS - 1] += row[1 + i] / CLASSES;
    }
    return status;
}

static bool write_csv(FILE *file, const void *context)
{
    const struct curve *curve = context;
    fputs("w0,loss_0,loss_1,loss_2,mean\n", file);
    for (size_t i = 0; i < curve->n; i++)
        for (size_t k = 0; k < COLUMNS; k++)
            fprintf(file, "%.9g%c", curve->points[i * COLUMNS + k], k + 1 < COLUMNS ? ',' : '\n');
    return !ferror(file);
}

static int write_json(const task_config *config, const struct curve *curve)
{
    json_t *points = json_array(), *root = json_object(), *o = json_object();
    for (size_t i = 0; i < curve->n; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < COLUMNS; k++)
            json_array_append_new(row, output_real(curve->points[i * COLUMNS + k]));
        json_array_append_new(points, row);
    }
    output_set(o, "kind", json_string("three points"));
    output_set(o, "loss", json_string("hinge"));
    output_set(o, "points", points);
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "landscape", o);
    return output_json(config->json, root);
}

static void print_curve(const struct curve *curve)
{
    enum { LINES = 20 };
    const size_t step = curve->n > LINES ? curve->n / LINES : 1;
    printf(
        "samples x = %g, %g, %g of classes 0, 1, 2; w1 = %g, w2 = %g\n%10s %10s %10s %10s %10s\n",
        (double)x[0], (double)x[1], (double)x[2], (double)other_weights[1],
        (double)other_weights[2], "w0", "loss 0", "loss 1", "loss 2", "mean");
    for (size_t i = 0; i < curve->n; i += step)
        for (size_t k = 0; k < COLUMNS; k++)
            printf("%10.4f%c", curve->points[i * COLUMNS + k], k + 1 < COLUMNS ? ' ' : '\n');
}

int three_points_show(const task_config *config, const char *csv, double range, size_t points)
{
    const downhill_kernels *kernels;
    struct curve curve = {points, memory_new(points * COLUMNS, sizeof *curve.points)};
    if (config->loss != DOWNHILL_HINGE) {
        free(curve.points);
        error_line("landscape: --three-points needs --loss hinge");
        return EXIT_USAGE;
    }
    int code = EXIT_OK;
    if (curve.points == NULL) {
        error_line("landscape: out of memory");
        code = EXIT_INTERNAL;
    } else if (!task_choose_level("landscape", config->isa, ELEMENT_F32, &kernels)) {
        code = EXIT_ISA;
    }
    for (size_t i = 0; i < points && code == EXIT_OK; i++) {
        curve.points[i * COLUMNS] = range * (2.0 * (double)i / (double)(points - 1) - 1.0);
        if (losses_at(kernels, config->delta, curve.points + i * COLUMNS) != DOWNHILL_OK)
            code = EXIT_INTERNAL;
    }
    if (code == EXIT_OK && task_prints(config))
        print_curve(&curve);
    if (code == EXIT_OK && csv != NULL)
        code = output_file(csv, OUTPUT_LANDSCAPE_CSV, write_csv, &curve);
    if (code == EXIT_OK && config->json != NULL)
        code = write_json(config, &curve);
    free(curve.points);
    return code;
}
