/* SPDX-License-Identifier: MIT
 *
 * The command line of downhill bench. */
#define _GNU_SOURCE
#include "arguments.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/resume.h"
#include "bench_choices.h"
#include "bench_estimate.h"
#include "bench_session.h"
#include "parallel/team.h"
#include "parallel/together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) .offset = offsetof(bench_config, member)

static const cli_option options[] = {
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL,...",
     AT(isa),
     .help = "only these ISA levels, as in avx2,avx512 (default: every usable one)"},
    {.name = "passes",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(passes),
     .min = 1,
     .max = BENCH_PASSES_MAX,
     .help = "go through all rows N times, each time with new buffers at other addresses; the "
             "spread over the passes gives the interval and the noise floor of each row (default: "
             "5, quick: 3)"},
    {.name = "repetitions",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(repetitions),
     .min = 1,
     .max = BENCH_SAMPLES_MAX,
     .help = "minimum number of samples per row, over all passes (default: 15)"},
    {.name = "precision",
     .kind = OPTION_SHARE,
     .metavar = "SHARE",
     AT(precision),
     .min = 0,
     .max = 1,
     .help = "sample until half the 95 % interval of the samples, each divided by the median of "
             "its pass, is within this share (default: 1%, quick: 5%; 0: only --repetitions "
             "samples)"},
    {.name = "min-time",
     .kind = OPTION_TEXT,
     .metavar = "TIME",
     AT(min_time),
     .help = "minimum time of a sample, as in 20ms or 0.5s (default: 10ms, quick: 2ms) "
             "[10us..3600s]"},
    {.name = "max-time",
     .kind = OPTION_TEXT,
     .metavar = "TIME",
     AT(max_time),
     .help = "maximum time for the samples of a row past --repetitions (default: 50 times "
             "--min-time) [10us..36000s]"},
    {.name = "peers",
     .kind = OPTION_FLAG,
     AT(peers),
     .help = "also time OpenBLAS, BLIS and oneDNN, if they are installed"},
    {.name = "sweeps",
     .kind = OPTION_FLAG,
     AT(sweeps),
     .help = "also time the step over batch sizes and over numbers of features, and a map of "
             "classes and features"},
    {.name = "threads",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(threads),
     .min = 1,
     .max = MACHINE_TEAM_MAX,
     .help = "also time the steps with 2, 4, ... N threads (default: the number of cores)"},
    {.name = "counters",
     .kind = OPTION_FLAG,
     AT(counters),
     .help = "count cycles, instructions and cache misses of each row, if the CPU provides "
             "counters"},
    {.name = "ceilings",
     .kind = OPTION_FLAG,
     AT(ceilings),
     .help = "measure only the maximum operations and bytes per second of this machine, and "
             "no rows"},
    {.name = "ceilings-from",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(ceilings_from),
     .help = "read the ceilings from FILE, earlier results of this machine"},
    {.name = "no-ceilings",
     .kind = OPTION_FLAG,
     AT(no_ceilings),
     .help = "do not measure ceilings"},
    {.name = "quick", .kind = OPTION_FLAG, AT(quick), .help = "few shapes, short samples"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of the data, of verify and of the order of samples (default: 1)"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(json),
     .help = "write every sample to FILE ('-': to standard output, without the table)"},
    {.name = "resume",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(resume),
     .help = "continue the interrupted run whose results are in FILE, with its options, and "
             "complete FILE"},
    {.name = "list", .kind = OPTION_FLAG, AT(list), .help = "list the rows without timing them"},
    {.name = "formulas",
     .kind = OPTION_FLAG,
     AT(formulas),
     .help = "list the operations and bytes that each kernel is credited with"},
};

static const bench_config defaults = {.repetitions = 15, .seed = 1, .precision = -1.0};

static void print_formulas(void)
{
    for (size_t i = 0; i < BENCH_KERNEL_COUNT; i++) {
        const bench_kernel_info *f = &bench_kernels[i];
        char flops[128], bytes[128];
        polynomial_text(&f->operations, flops, sizeof flops);
        polynomial_text(&f->bytes, bytes, sizeof bytes);
        printf("%-17s operations %s\n%-17s bytes      %s\n%-17s %s\n", f->name, flops, "", bytes,
               "", f->note);
    }
}

static int check_threads(const bench_config *config, const machine *m)
{
    if (config->threads > 1 && !team_supported()) {
        error_line("bench: --threads: this build has no OpenMP; build with a compiler that has it, "
                   "or use --threads 1");
        return EXIT_USAGE;
    }
    if (config->threads > m->n_team && config->threads > 1) {
        error_line("bench: --threads: %zu is more than the %zu CPU%s; use at most %zu",
                   config->threads, m->n_team, m->n_team == 1 ? "" : "s", m->n_team);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

/* Refuses options that exclude each other. */
static int check_together(const bench_config *config)
{
    if ((config->list || config->formulas) && config->json != NULL) {
        error_line("bench: --list and --formulas time nothing, so --json has nothing to write; "
                   "leave one out");
        return EXIT_USAGE;
    }
    if (config->no_ceilings && (config->ceilings || config->ceilings_from != NULL)) {
        error_line(
            "bench: --no-ceilings contradicts --ceilings and --ceilings-from; leave one out");
        return EXIT_USAGE;
    }
    if (output_is_same(config->ceilings_from, config->json)) {
        error_line("bench: --ceilings-from and --json name the same file; name two");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static const char *const not_stored[] = {"json", "resume", NULL};

/* Replaces this configuration with that of the resumed run. Only --json may be given with
 * --resume. */
static int take_over(const cli_command *self, bench_config *config, const json_t *results)
{
    const char *path = config->resume, *json = config->json != NULL ? config->json : path;
    json_t *others = arguments_to_json(self, config, &defaults, not_stored);
    const size_t n_others = json_array_size(others);
    json_decref(others);
    if (n_others > 0) {
        error_line("bench: --resume: the run continues with the options it was started with; give "
                   "no other option than --json");
        return EXIT_USAGE;
    }
    *config = defaults;
    const int code = arguments_from_json(
        self, config, json_object_get(json_object_get(results, "context"), "arguments"));
    config->json = json;
    config->resume = path;
    return code;
}

/* Returns the default of --threads: one per core. */
static size_t default_threads(const machine *m)
{
    const size_t cores = m->cores > 0 ? m->cores : 1;
    return !team_supported() || m->n_team == 0 ? 1 : cores < m->n_team ? cores : m->n_team;
}

/* Parses the value of a time option into *seconds. If text is NULL, sets it to otherwise_s. */
static int choose_time(const char *option, const char *text, double max_s, double otherwise_s,
                       double *seconds)
{
    const double min_s = 1e-5;
    bool has_unit;
    *seconds = otherwise_s;
    if (text == NULL ||
        (cli_seconds(text, seconds, &has_unit) && *seconds >= min_s && *seconds <= max_s))
        return EXIT_OK;
    error_line("bench: --%s: '%s' is not a time from 10us to %gs, as in 0.5s or 500ms", option,
               text, max_s);
    return EXIT_USAGE;
}

static int choose_times(const bench_config *config, bench_options *bench)
{
    const int code = choose_time("min-time", config->min_time, 3600.0, config->quick ? 0.002 : 0.01,
                                 &bench->min_time_s);
    return code != EXIT_OK ? code
                           : choose_time("max-time", config->max_time, 36000.0,
                                         50.0 * bench->min_time_s, &bench->max_time_s);
}

static int run_with(const cli_command *self, bench_config *config, const machine *m,
                    const json_t *earlier, double start_s)
{
    config->isa = cli_default_isa(config->isa);
    bench_session s = {.config = config,
                       .machine = m,
                       .start_s = start_s,
                       .arguments = arguments_to_json(self, config, &defaults, not_stored),
                       .warnings = json_array()};
    if (config->threads == 0)
        config->threads = default_threads(m);
    bench_shape shapes[OPTION_LIST_MAX];
    size_t n_shapes = 0;
    int code;
    if ((code = check_together(config)) == EXIT_OK &&
        (code = check_threads(config, m)) == EXIT_OK &&
        (code = bench_choose_shapes("bench", &config->rows.shapes, config->quick, shapes,
                                    &n_shapes)) == EXIT_OK &&
        (code = bench_choose_caches("bench", config->rows.cache, &s.bench)) == EXIT_OK &&
        (code = choose_times(config, &s.bench)) == EXIT_OK && config->json != NULL)
        code = output_check(config->json, config->ceilings ? OUTPUT_CEILINGS : OUTPUT_BENCH);
    s.bench.filter = config->rows.filter;
    s.bench.peers = config->peers;
    s.bench.sweeps = config->sweeps;
    s.bench.quick = config->quick;
    s.bench.counters = config->counters;
    s.bench.threads = config->threads;
    s.bench.machine = m;
    s.bench.isa = config->isa;
    s.bench.shapes = shapes;
    s.bench.n_shapes = n_shapes;
    s.bench.passes = config->passes > 0 ? config->passes : config->quick ? 3 : 5;
    s.bench.repetitions = config->repetitions;
    s.bench.precision = config->precision >= 0.0 ? config->precision : config->quick ? 0.05 : 0.01;
    s.bench.core = &s.core;
    s.bench.seed = config->seed;
    s.bench.progress = true;
    char why[192];
    const size_t granted =
        code != EXIT_OK ? 1 : together_most_granted(config->threads, why, sizeof why);
    /* Without --ceilings, the rows that are not timed tell the reason. */
    if (code == EXIT_OK && granted < config->threads && config->ceilings)
        warnings_add(s.warnings, "no ceilings of more than %zu thread%s: %s", granted,
                     granted == 1 ? "" : "s", why);
    s.not_granted = code == EXIT_OK && granted < config->threads ? why : NULL;
    s.ceilings = ceilings_of(m, granted);
    if (code == EXIT_OK && config->ceilings)
        code = bench_session_ceilings(&s);
    else if (code == EXIT_OK && (code = bench_suite_build(&s.bench, &s.suite)) == EXIT_OK) {
        if (earlier != NULL)
            fprintf(stderr, "bench: %zu of %zu rows were timed already\n",
                    resume_restore(&s.bench, &s.suite, earlier), s.suite.n_rows);
        if (config->list)
            for (size_t i = 0; i < s.suite.n_rows; i++)
                puts(s.suite.rows[i].name);
        if ((code = bench_estimate_say(&s)) == EXIT_OK && !config->list)
            code = bench_session_run(&s);
    }
    bench_suite_free(&s.suite);
    json_decref(s.arguments);
    json_decref(s.warnings);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    const double start_s = clock_seconds();
    bench_config config = defaults;
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    if (config.formulas && config.json == NULL) {
        print_formulas();
        return EXIT_OK;
    }
    /* Read before the thread is bound: afterwards only its own CPU would be listed as allowed. */
    machine m;
    machine_read(&m);
    json_t *earlier = NULL;
    if (config.resume != NULL) {
        earlier = resume_read(config.resume, &m, &code);
        if (earlier != NULL)
            code = take_over(self, &config, earlier);
    }
    if (code == CLI_CONTINUE)
        code = run_with(self, &config, &m, earlier, start_s);
    json_decref(earlier);
    machine_close(&m);
    return code;
}

const cli_command cli_bench = {.name = "bench",
                               .operands = "",
                               .summary = "Verify, then time every kernel, variant and shape.",
                               .groups = {&bench_row_options},
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .run = run};
