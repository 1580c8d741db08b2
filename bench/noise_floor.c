/* SPDX-License-Identifier: MIT */
#include "noise_floor.h"

#include "base/error.h"
#include "base/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Allocates the rows and copies their names, at the first pass. Returns false if out of memory. */
static bool allocate_rows(noise_floor *f, const bench_suite *suite)
{
    if (f->rows != NULL)
        return true;
    f->rows = calloc(suite->n_rows, sizeof *f->rows);
    if (f->rows == NULL)
        return false;
    f->n_rows = suite->n_rows;
    for (size_t i = 0; i < suite->n_rows; i++)
        memcpy(f->rows[i].name, suite->rows[i].name, sizeof f->rows[i].name);
    return true;
}

int noise_floor_build(const bench_options *options, size_t pass, bench_options *floor_options,
                      bench_suite *suite)
{
    *floor_options = *options;
    floor_options->noise_floor = true;
    floor_options->peers = floor_options->sweeps = floor_options->cold = floor_options->counters =
        false;
    floor_options->threads = 1;
    floor_options->seed += pass; /* a different order in each pass */
    return bench_suite_build(floor_options, suite);
}

int noise_floor_run_pass(noise_floor *f, const bench_options *options,
                         const volatile sig_atomic_t *stop)
{
    bench_options floor_options;
    bench_suite suite;
    if (f->passes == NOISE_FLOOR_PASSES)
        return EXIT_OK;
    int code = noise_floor_build(options, f->passes, &floor_options, &suite);
    if (code != EXIT_OK || suite.n_rows == 0)
        return code;
    if (!allocate_rows(f, &suite)) {
        error_line("bench: out of memory");
        code = EXIT_INTERNAL;
    } else {
        code = bench_suite_run(&floor_options, &suite, NULL, NULL, stop);
    }
    if (code == EXIT_OK && !suite.interrupted) {
        for (size_t i = 0; i < suite.n_rows; i++)
            f->rows[i].median_ns[f->passes] =
                suite.rows[i].n_samples > 0 ? suite.rows[i].real_ns.median : 0.0;
        f->passes++;
    }
    bench_suite_free(&suite);
    return code;
}

void noise_floor_free(noise_floor *f)
{
    free(f->rows);
    *f = (noise_floor){0};
}

double noise_floor_p95(const noise_floor *f)
{
    const size_t pairs = f->passes * (f->passes - (f->passes > 0)) / 2;
    double *excess = calloc(f->n_rows * pairs + 1, sizeof *excess);
    size_t count = 0;
    for (size_t i = 0; excess != NULL && i < f->n_rows; i++)
        for (size_t a = 0; a < f->passes; a++)
            for (size_t b = a + 1; b < f->passes; b++) {
                const double x = f->rows[i].median_ns[a], y = f->rows[i].median_ns[b];
                if (x > 0.0 && y > 0.0)
                    excess[count++] = fmax(x, y) / fmin(x, y) - 1.0;
            }
    const double p95 = count > 0 ? stats_compute(excess, count).p95 : NAN;
    free(excess);
    return p95;
}

json_t *noise_floor_to_json(const noise_floor *f)
{
    json_t *o = json_object(), *rows = json_array();
    output_set(o, "passes", json_integer((json_int_t)f->passes));
    output_set(o, "p95", output_real(noise_floor_p95(f)));
    for (size_t i = 0; i < f->n_rows; i++) {
        json_t *row = json_object(), *medians = json_array();
        output_set(row, "run_name", json_string(f->rows[i].name));
        for (size_t p = 0; p < f->passes; p++)
            json_array_append_new(medians, f->rows[i].median_ns[p] > 0.0
                                               ? output_real(f->rows[i].median_ns[p])
                                               : json_null());
        output_set(row, "medians_ns", medians);
        json_array_append_new(rows, row);
    }
    output_set(o, "rows", rows);
    return o;
}
