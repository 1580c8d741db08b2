/* SPDX-License-Identifier: MIT
 *
 * downhill bench: prove, then time. */
#define _GNU_SOURCE
#include "base/error.h"
#include "base/machine.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/gbench.h"
#include "bench/suite.h"
#include "interrupt.h"
#include "options.h"
#include "parallel/team.h"
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct config {
    const char *filter, *isa, *json;
    option_list shapes;
    size_t repetitions, threads;
    double min_time_s;
    uint64_t seed;
    bool list, formulas, quick, peers;
};

#define AT(member) .offset = offsetof(struct config, member)

static const cli_option options[] = {
    {.name = "filter",
     .kind = OPTION_TEXT,
     .metavar = "REGEX",
     AT(filter),
     .help = "only rows whose name matches, as in score_f32/.*/n:256"},
    {.name = "shape",
     .kind = OPTION_EACH,
     .metavar = "NxDxC",
     AT(shapes),
     .help = "time this shape instead of the standard list; may be repeated"},
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL",
     AT(isa),
     .help = "only this ISA level (default: every usable one)"},
    {.name = "repetitions",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(repetitions),
     .min = 1,
     .max = 1000,
     .help = "samples per row (default: 10)"},
    {.name = "min-time",
     .kind = OPTION_SECONDS,
     .metavar = "TIME",
     AT(min_time_s),
     .min = 1e-5,
     .max = 3600,
     .help = "least time of a sample, as in 20ms or 0.5s (default: 20ms, quick: 2ms)"},
    {.name = "peers",
     .kind = OPTION_FLAG,
     AT(peers),
     .help = "OpenBLAS, BLIS and oneDNN beside ours, where they are installed"},
    {.name = "threads",
     .kind = OPTION_SIZE,
     .metavar = "N",
     AT(threads),
     .min = 1,
     .max = MACHINE_TEAM_MAX,
     .help = "the steps with 2, 4, ... N threads as well (default: as many as there are cores)"},
    {.name = "quick", .kind = OPTION_FLAG, AT(quick), .help = "few shapes, short samples"},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     AT(seed),
     .help = "seed of the data, of verify and of the order of samples (default: 1)"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = "FILE",
     AT(json),
     .help = "write every sample to FILE ('-': standard output, and no table)"},
    {.name = "list", .kind = OPTION_FLAG, AT(list), .help = "list the rows and time nothing"},
    {.name = "formulas",
     .kind = OPTION_FLAG,
     AT(formulas),
     .help = "list the operations and bytes that each kernel is credited with"},
};

/* "256x3072x10" or "256,3072,10". */
static bool parse_shape(const char *text, bench_shape *shape)
{
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        /* At most nine digits, and digits only: strtoull() would take a sign and blanks. */
        const size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 9)
            return false;
        sizes[i] = (size_t)strtoull(text, NULL, 10);
        text += digits;
        if (sizes[i] == 0 || (i < 2 && *text != 'x' && *text != ',') || (i == 2 && *text != '\0'))
            return false;
        text++;
    }
    *shape = (bench_shape){sizes[0], sizes[1], sizes[2], true};
    return true;
}

static int choose_shapes(const struct config *config, bench_shape *shapes, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < config->shapes.count; i++)
        if (!parse_shape(config->shapes.values[i], &shapes[(*count)++])) {
            error_line("bench: --shape: '%s' is not SAMPLESxFEATURESxCLASSES, as in 256x3072x10, "
                       "each from 1 to 999999999",
                       config->shapes.values[i]);
            return EXIT_USAGE;
        }
    if (*count == 0)
        for (size_t i = 0; i < bench_standard_shape_count; i++)
            if (!config->quick || bench_standard_shapes[i].quick)
                shapes[(*count)++] = bench_standard_shapes[i];
    return EXIT_OK;
}

static void print_formulas(void)
{
    for (size_t i = 0; i < BENCH_KERNEL_COUNT; i++) {
        const bench_formula *f = &bench_formulas[i];
        char flops[128], bytes[128];
        polynomial_text(&f->flops, flops, sizeof flops);
        polynomial_text(&f->bytes, bytes, sizeof bytes);
        printf("%-17s operations %s\n%-17s bytes      %s\n%-17s %s\n", f->kernel, flops, "", bytes,
               "", f->note);
    }
}

static json_t *context_to_json(const struct config *config, const machine *m, int cpu)
{
    char date[40];
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", &local);
    json_t *caches = json_array();
    for (size_t i = 0; i < m->n_caches; i++) {
        static const char *const types[] = {"Data", "Instruction", "Unified"};
        json_t *o = json_object();
        const char t = m->caches[i].type[0];
        output_set(o, "type", json_string(types[t == 'd' ? 0 : t == 'i' ? 1 : 2]));
        output_set(o, "level", json_integer(m->caches[i].level));
        output_set(o, "size", json_integer((json_int_t)m->caches[i].bytes));
        output_set(o, "num_sharing", json_integer(m->caches[i].shared_by_pus));
        json_array_append_new(caches, o);
    }
    double load[3] = {0};
    const int n_loads = getloadavg(load, 3);
    json_t *loads = json_array();
    for (int i = 0; i < n_loads; i++)
        json_array_append_new(loads, output_real(load[i]));
    const int scaling = gbench_cpu_scaling();
    json_t *o = json_object();
    output_set(o, "date", json_string(date));
    output_set(o, "host_name", json_string(m->host_name));
    output_set(o, "executable", json_string("downhill bench"));
    output_set(o, "num_cpus", json_integer(m->pus));
    output_set(o, "mhz_per_cpu", json_integer((json_int_t)gbench_cpu_mhz()));
    output_set(o, "cpu_scaling_enabled", scaling < 0 ? json_null() : json_boolean(scaling));
    output_set(o, "caches", caches);
    output_set(o, "load_avg", loads);
    output_set(o, "seed", json_integer((json_int_t)config->seed));
    output_set(o, "repetitions", json_integer((json_int_t)config->repetitions));
    output_set(o, "min_time_s", output_real(config->min_time_s));
    output_set(o, "order", json_string("shuffled anew for each repetition of a group"));
    output_set(o, "pinned_cpu", cpu < 0 ? json_null() : json_integer(cpu));
    return o;
}

static json_t *verify_to_json(const verify_result *result, uint64_t seed)
{
    json_t *o = json_object();
    output_set(o, "seed", json_integer((json_int_t)seed));
    output_set(o, "checks", json_integer((json_int_t)result->checks));
    output_set(o, "failures", json_integer((json_int_t)result->failures));
    output_set(o, "seconds", output_real(result->seconds));
    return o;
}

static int write_results(const struct config *config, const machine *m, const bench_suite *suite,
                         const ceilings *found, const verify_result *verified, int cpu,
                         json_t *warnings)
{
    json_t *root = json_object();
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "context", context_to_json(config, m, cpu));
    output_set(root, "machine", machine_to_json(m));
    output_set(root, "build", machine_build_to_json());
    output_set(root, "verify", verify_to_json(verified, config->seed));
    output_set(root, "formulas", bench_formulas_to_json());
    if (config->peers)
        output_set(root, "peers", peers_to_json());
    output_set(root, "ceilings", ceilings_to_json(found));
    output_set(root, "benchmarks", bench_rows_to_json(suite));
    output_set(root, "warnings", json_incref(warnings));
    return output_json(config->json, root);
}

/* Warns of what the rows show. Returns how many were timed. */
static size_t look_at_rows(const bench_suite *suite, json_t *warnings)
{
    enum { NAMED = 3 };
    size_t timed = 0, waited = 0;
    char names[NAMED * (sizeof suite->rows->name + 2) + 8] = "";
    for (size_t i = 0; i < suite->n_rows; i++) {
        const bench_row *row = &suite->rows[i];
        timed += row->n_samples > 0;
        if (row->n_samples == 0 || row->real_ns.median <= WARNINGS_WAITED * row->cpu_ns.median)
            continue;
        const size_t used = strlen(names);
        if (waited < NAMED)
            snprintf(names + used, sizeof names - used, "%s%s", waited > 0 ? ", " : "", row->name);
        else if (waited == NAMED)
            snprintf(names + used, sizeof names - used, ", ...");
        waited++;
    }
    if (waited > 0)
        warnings_add(
            warnings,
            "%zu of %zu rows waited for the CPU, so that their times are too long: another "
            "program was running; stop it and run again (%s)",
            waited, timed, names);
    if (suite->interrupted)
        warnings_add(warnings, "interrupted: some rows are missing");
    return timed;
}

static int prove_and_time(const struct config *config, const machine *m, const bench_options *bench,
                          bench_suite *suite)
{
    uint32_t ops = 0; /* of the rows that are timed */
    for (size_t i = 0; i < suite->n_rows; i++)
        ops |= bench_proofs(suite->rows[i].kernel);
    const verify_options verify = {.seed = config->seed,
                                   .isa = config->isa,
                                   .ops = ops,
                                   .only_case = -1,
                                   .stride = 1,
                                   .max_reports = 5,
                                   .progress = bench->progress && isatty(STDERR_FILENO)};
    verify_result verified;
    int code = verify_run(&verify, &verified);
    if (code != EXIT_OK) {
        if (code == EXIT_CHECK)
            error_line("bench: nothing was timed: a variant that is wrong has no speed");
        return code;
    }
    fprintf(stderr, "verify: %llu checks passed, seed %llu\n", (unsigned long long)verified.checks,
            (unsigned long long)config->seed);

    json_t *warnings = json_array();
    warnings_of_build(warnings);
    const int cpu = warnings_pin(warnings);
    interrupt_catch();
    /* Before and after: the clock may rise or fall meanwhile. */
    ceilings found = ceilings_of(m);
    bool measured = ceilings_measure(&found);
    code = bench_suite_run(bench, suite, &interrupt_signal);
    measured = measured && ceilings_measure(&found);
    if (code == EXIT_OK && !measured) {
        error_line("bench: out of memory");
        code = EXIT_INTERNAL;
    }
    if (code != EXIT_OK) {
        json_decref(warnings);
        return code;
    }
    bench_attain(suite, &found);
    const size_t timed = look_at_rows(suite, warnings);
    if (config->json == NULL || strcmp(config->json, "-") != 0) {
        ceilings_print(&found);
        bench_print_table(suite);
    }
    if (config->json != NULL)
        code = write_results(config, m, suite, &found, &verified, cpu, warnings);
    json_decref(warnings);
    fflush(stdout); /* so that on a terminal the last line comes last */
    fprintf(stderr, "bench: %zu rows in %.1f s, seed %llu, ", timed, suite->seconds,
            (unsigned long long)config->seed);
    if (cpu >= 0)
        fprintf(stderr, "pinned to CPU %d\n", cpu);
    else
        fputs("not pinned\n", stderr);
    if (code == EXIT_OK && interrupt_signal != 0)
        return 128 + interrupt_signal;
    if (code == EXIT_OK && timed == 0) {
        error_line("bench: no row could be timed; the table says why");
        return EXIT_INTERNAL;
    }
    return code;
}

static int check_threads(const struct config *config, const machine *m)
{
    if (config->threads > 1 && !team_supported()) {
        error_line("bench: --threads: this build has no OpenMP; build with a compiler that has it, "
                   "or take 1");
        return EXIT_USAGE;
    }
    if (config->threads > m->n_team && config->threads > 1) {
        error_line("bench: --threads: %zu, but there are %zu CPUs; take at most as many",
                   config->threads, m->n_team);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config config = {.repetitions = 10, .seed = 1};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_GO_ON)
        return code;
    config.isa = cli_default_isa(config.isa);
    if (config.min_time_s == 0.0)
        config.min_time_s = config.quick ? 0.002 : 0.02;
    if ((config.list || config.formulas) && config.json != NULL) {
        error_line("bench: --list and --formulas time nothing, so that there is nothing for "
                   "--json to write; leave one out");
        return EXIT_USAGE;
    }
    if (config.formulas) {
        print_formulas();
        return EXIT_OK;
    }
    bench_shape shapes[OPTION_LIST_MAX];
    size_t n_shapes;
    if ((code = choose_shapes(&config, shapes, &n_shapes)) != EXIT_OK ||
        (config.json != NULL && (code = output_check(config.json)) != EXIT_OK))
        return code;

    /* Before the thread is bound: afterwards only its own CPU would show as allowed. */
    machine m;
    machine_read(&m);
    if (config.threads == 0)
        config.threads = !team_supported() ? 1 : m.cores < m.n_team ? m.cores : m.n_team;
    if ((code = check_threads(&config, &m)) != EXIT_OK)
        return code;
    const bench_options bench = {.filter = config.filter,
                                 .peers = config.peers,
                                 .threads = config.threads,
                                 .cpus = m.team,
                                 .isa = config.isa,
                                 .shapes = shapes,
                                 .n_shapes = n_shapes,
                                 .repetitions = config.repetitions,
                                 .min_time_s = config.min_time_s,
                                 .seed = config.seed,
                                 .progress = true};
    bench_suite suite;
    if ((code = bench_suite_build(&bench, &suite)) != EXIT_OK)
        return code;
    if (config.list)
        for (size_t i = 0; i < suite.n_rows; i++)
            puts(suite.rows[i].name);
    else
        code = prove_and_time(&config, &m, &bench, &suite);
    bench_suite_free(&suite);
    return code;
}

const cli_command cli_bench = {.name = "bench",
                               .operands = "",
                               .summary = "Prove, then time every kernel, variant and shape.",
                               .options = options,
                               .n_options = sizeof options / sizeof options[0],
                               .run = run};
