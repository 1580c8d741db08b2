/* SPDX-License-Identifier: MIT
 *
 * downhill lockstep: times two builds of the library in turn, in this process. scripts/ab runs it
 * several times. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/levels.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/buffer_pool.h"
#include "bench/lockstep.h"
#include "bench_choices.h"
#include "interrupt.h"
#include "options.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 8 };

/* Larger buffers are filled once per process, because filling them takes longer than a round. */
static const double refilled_bytes_max = 64e6;

typedef struct lockstep_config {
    bench_row_choice rows; /* first, because its options are a group */
    const char *isa;
    size_t rounds;
    double time_s, slice_s;
    uint64_t seed;
    bool list;
} lockstep_config;

#define AT(member) .offset = offsetof(lockstep_config, member)

static const cli_option options[] = {
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL,...",
     AT(isa),
     .help = "these ISA levels, as in avx2,avx512, or all (default: the best)"},
    {.name = "rounds",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(rounds),
     .min = 1,
     .max = ROUNDS_MAX,
     .help = "time the rows in N rounds, each with new copies of both builds and with new buffers "
             "at other addresses (default: 4)"},
    {.name = "time",
     .kind = OPTION_SECONDS,
     .metavar = "TIME",
     AT(time_s),
     .min = 0.0,
     .max = 3600.0,
     .help = "time per row and round, as in 0.5s (default: 100ms)"},
    {.name = "slice",
     .kind = OPTION_SECONDS,
     .metavar = "TIME",
     AT(slice_s),
     .min = 1e-6,
     .max = 0.001,
     .help = "time of a slice, at most 1ms, unless one call takes longer (default: 0.2ms)"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of the addresses of buffers and of the order (default: 1)"},
    {.name = "list", .kind = OPTION_FLAG, AT(list), .help = "list the rows without timing them"},
};

static const lockstep_config defaults = {.rounds = 4, .time_s = 0.1, .slice_s = 0.0002, .seed = 1};

/* Prints an object as one line. */
static int print_line(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (text == NULL) {
        error_line("lockstep: out of memory");
        return EXIT_INTERNAL;
    }
    puts(text);
    free(text);
    return flush_stdout() == 0 ? EXIT_OK : EXIT_INTERNAL;
}

static json_t *times_of(const lockstep_result *r, int build)
{
    json_t *times = json_array();
    for (size_t i = 0; i < 2 * r->quadruples; i++)
        json_array_append_new(times, output_real(r->ns[build][i]));
    return times;
}

static int print_result(const bench_row *row, const lockstep_result *r)
{
    json_t *o = json_object();
    output_set(o, "row", json_string(row->name));
    if (r->skipped[0] != '\0') {
        output_set(o, "skipped", json_string(r->skipped));
        return print_line(o);
    }
    output_set(o, "calls_per_slice", json_integer((json_int_t)r->calls));
    output_set(o, "difference", output_real(r->difference));
    output_set(o, "old_ns", times_of(r, LOCKSTEP_OLD));
    output_set(o, "new_ns", times_of(r, LOCKSTEP_NEW));
    return print_line(o);
}

/* Loads both builds, in an order that depends on the seed: the loader places the first one first. */
static int load(const char *const *paths, uint64_t seed, lockstep *l)
{
    for (int i = 0; i < LOCKSTEP_BUILDS; i++) {
        const int b = (seed & 1) != 0 ? i : 1 - i;
        char why[256];
        if (!library_load(paths[b], &l->builds[b], why, sizeof why)) {
            error_line("lockstep: %s: %s; give a libdownhill.so built from this version or a close "
                       "one",
                       paths[b], why);
            return EXIT_DATA;
        }
        /* Until 1.0 the minor version may change the interface. */
        const char *version = l->builds[b].version(), *const dot = strrchr(version, '.');
        if (dot == NULL || strncmp(version, downhill_version(), (size_t)(dot - version) + 1) != 0) {
            error_line(
                "lockstep: %s: is version %s, and this program is %s; use the program of that "
                "version",
                paths[b], version, downhill_version());
            return EXIT_DATA;
        }
    }
    return EXIT_OK;
}

/* Times every row once. `round` counts the rounds of all processes. */
static int run_round(const lockstep *l, const bench_options *bench, bench_suite *suite,
                     size_t round, buffer_pool *pool)
{
    int code = EXIT_OK;
    for (size_t i = 0; i < suite->n_rows && code == EXIT_OK && *l->stop == 0; i++) {
        const bench_row *row = &suite->rows[i];
        bench_task task = {.kernel = row->kernel};
        lockstep_result result = {0};
        const bool refilled = !row->cold && row->working_set <= refilled_bytes_max;
        buffer_pool_open(pool, bench, suite, i, refilled ? round : round / ROUNDS_MAX);
        if (!buffer_pool_find(pool, row, &task, result.skipped, sizeof result.skipped) ||
            lockstep_run(l, row, task.loads, task.n_loads, &result))
            code = *l->stop == 0 ? print_result(row, &result) : EXIT_OK;
        else {
            error_line("lockstep: out of memory");
            code = EXIT_INTERNAL;
        }
        lockstep_result_free(&result);
    }
    return code;
}

static int run_rounds(lockstep *l, const lockstep_config *config, const char *const *paths,
                      const bench_options *bench, bench_suite *suite)
{
    buffer_pool pool = {0};
    int code = EXIT_OK;
    for (size_t i = 0; i < config->rounds && code == EXIT_OK && interrupt_signal == 0; i++) {
        const size_t round = (size_t)config->seed * ROUNDS_MAX + i;
        l->seed = round;
        code = load(paths, round, l);
        if (code == EXIT_OK)
            code = run_round(l, bench, suite, round, &pool);
    }
    buffer_pool_close(&pool);
    return code;
}

/* Removes the rows that cannot be timed here. */
static void keep_rows(bench_suite *suite)
{
    size_t kept = 0;
    for (size_t i = 0; i < suite->n_rows; i++)
        if (lockstep_has(suite->rows[i].kernel))
            suite->rows[kept++] = suite->rows[i];
    suite->n_rows = kept;
}

static int run_with(const lockstep_config *config, const char *const *paths, const machine *m)
{
    lockstep l = {.slice_s = config->slice_s, .time_s = config->time_s, .stop = &interrupt_signal};
    bench_shape shapes[OPTION_LIST_MAX];
    bench_options bench = {.filter = config->rows.filter,
                           .isa = config->isa,
                           .machine = m,
                           .shapes = shapes,
                           .seed = 1};
    bench_suite suite;
    int code = bench_choose_shapes("lockstep", &config->rows.shapes, true, shapes, &bench.n_shapes);
    if (code == EXIT_OK)
        code = bench_choose_caches("lockstep", config->rows.cache, &bench);
    if (code == EXIT_OK)
        code = bench_suite_build(&bench, &suite);
    if (code != EXIT_OK)
        return code;
    keep_rows(&suite);
    if (suite.n_rows == 0) {
        error_line("lockstep: none of these rows can be timed in two builds; leave out pack_, "
                   "read_ and reproducible rows");
        code = EXIT_USAGE;
    }
    for (size_t i = 0; config->list && i < suite.n_rows; i++)
        puts(suite.rows[i].name);
    if (code == EXIT_OK && !config->list) {
        interrupt_catch();
        (void)warnings_pin(NULL);
        code = run_rounds(&l, config, paths, &bench, &suite);
        code = code == EXIT_OK && interrupt_signal != 0 ? 128 + interrupt_signal : code;
    }
    bench_suite_free(&suite);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    lockstep_config config = defaults;
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    const int n_paths = argc - operand;
    if (n_paths != (config.list ? 0 : 2)) {
        error_line("lockstep: give two builds, OLD.so and NEW.so; --list needs none");
        return EXIT_USAGE;
    }
    const downhill_kernels *best;
    const bool only_best = config.isa == NULL;
    config.isa = cli_default_isa(config.isa);
    if (only_best && config.isa == NULL && downhill_select(NULL, &best, NULL, 0) == DOWNHILL_OK)
        config.isa = downhill_kernels_name(best);
    machine m;
    machine_read(&m);
    code = run_with(&config, (const char *const *)&argv[operand], &m);
    machine_close(&m);
    return code;
}

const cli_command cli_lockstep = {.name = "lockstep",
                                  .operands = "OLD.so NEW.so",
                                  .summary =
                                      "Time two builds of the library in turn, once (see ab).",
                                  .groups = {&bench_row_options},
                                  .options = options,
                                  .n_options = sizeof options / sizeof options[0],
                                  .run = run};
