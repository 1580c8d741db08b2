/* SPDX-License-Identifier: MIT
 *
 * Runs a benchmark: verifies the kernels, then times them. */
#define _GNU_SOURCE
#include "bench_session.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json_memory.h"
#include "base/output.h"
#include "base/warnings.h"
#include "bench/roofs.h"
#include "interrupt.h"

#include <stdio.h>
#include <unistd.h>

/* Maximum share of the time that is spent on writing partial results. The file has every row so
 * far, so writing it takes seconds towards the end of a long run. */
static const double write_share = 0.05;

static bool to_stdout(const bench_session *s)
{
    return output_is_stdout(s->config->json);
}

/* Verifies the kernels of the rows to be timed. */
static int prove(bench_session *s)
{
    uint32_t kernel_set = 0;
    for (size_t i = 0; i < s->suite.n_rows; i++)
        kernel_set |= bench_kernels[s->suite.rows[i].kernel].proofs;
    const verify_options verify = {.seed = s->config->seed,
                                   .isa = s->config->isa,
                                   .kernel_set = kernel_set,
                                   .only_case = -1,
                                   .chosen_only = true,
                                   .stride = 1,
                                   .max_reports = 5,
                                   .progress = s->bench.progress && isatty(STDERR_FILENO)};
    const int code = verify_run(&verify, &s->verified);
    if (code == EXIT_CHECK)
        error_line("bench: nothing was timed, because the results of a kernel are wrong");
    return code;
}

static void print_verified(const bench_session *s)
{
    fprintf(stderr, "verify: %llu checks passed, seed %llu\n",
            (unsigned long long)s->verified.checks, (unsigned long long)s->config->seed);
}

static bool is_of_this_machine(const json_t *results, const machine *m)
{
    json_t *here = machine_to_json(m);
    const bool same = json_equal(json_object_get(json_object_get(results, "machine"), "id"),
                                 json_object_get(here, "id"));
    json_decref(here);
    return same;
}

/* Returns how thoroughly to measure ceilings; a quick run measures them less exactly. */
static ceiling_effort effort_of(bench_session *s)
{
    return (ceiling_effort){s->config->quick ? 3 : 7, s->config->quick ? 0.001 : 0.004, &s->core,
                            &interrupt_signal};
}

/* Reads the ceilings from a file, or measures them. A second measurement keeps the higher of
 * both. */
static int measure_ceilings(bench_session *s)
{
    if (s->config->no_ceilings)
        return EXIT_OK;
    if (s->config->ceilings_from == NULL) {
        const bool measured_before = s->has_ceilings;
        if (!ceilings_measure(&s->ceilings, s->machine->team, effort_of(s))) {
            error_line("bench: out of memory");
            return EXIT_INTERNAL;
        }
        /* A first measurement that was interrupted yields no ceilings. */
        s->has_ceilings = measured_before || interrupt_signal == 0;
        if (interrupt_signal == 0)
            s->ceilings.call_ns = bench_call_ns();
        return EXIT_OK;
    }
    if (s->has_ceilings)
        return EXIT_OK;
    json_error_t error;
    json_t *root = json_load_file(s->config->ceilings_from, JSON_REJECT_DUPLICATES, &error);
    char why[128];
    int code = EXIT_OK;
    if (json_memory_failed()) {
        error_line("bench: --ceilings-from: %s: out of memory", s->config->ceilings_from);
        code = EXIT_INTERNAL;
    } else if (root == NULL) {
        error_line("bench: --ceilings-from: %s: %s", s->config->ceilings_from, error.text);
        code = EXIT_DATA;
    } else if (!is_of_this_machine(root, s->machine)) {
        error_line(
            "bench: --ceilings-from: %s: is of another machine; leave the option out to measure "
            "the ceilings",
            s->config->ceilings_from);
        code = EXIT_DATA;
    } else if (!ceilings_from_json(&s->ceilings, json_object_get(root, "ceilings"), why,
                                   sizeof why)) {
        error_line("bench: --ceilings-from: %s: %s; leave the option out to measure the ceilings",
                   s->config->ceilings_from, why);
        code = EXIT_DATA;
    }
    s->has_ceilings = code == EXIT_OK;
    json_decref(root);
    return code;
}

/* Measures ceilings again that rows exceed: the ceiling is more likely to be wrong than the row. */
static int recheck_ceilings(bench_session *s)
{
    if (!s->has_ceilings)
        return EXIT_OK;
    bench_set_attainable(&s->suite, &s->ceilings);
    if (interrupt_signal == 0 &&
        !roofs_recheck(&s->suite, &s->ceilings, s->machine->team, effort_of(s), s->warnings)) {
        error_line("bench: out of memory");
        return EXIT_INTERNAL;
    }
    roofs_warn_of_doubts(&s->ceilings, s->warnings);
    return EXIT_OK;
}

static int after_group(void *context, bench_suite *suite)
{
    bench_session *s = context;
    if (s->has_ceilings)
        bench_set_attainable(suite, &s->ceilings);
    const char *json = s->config->json;
    const double start_s = clock_seconds();
    if (json == NULL || !output_replaces(json) || start_s < s->next_write_s)
        return EXIT_OK;
    bench_suite_summarise(suite, &s->bench);
    const int code = bench_session_write(s);
    const double end_s = clock_seconds();
    s->next_write_s = end_s + (end_s - start_s) / write_share;
    return code;
}

static void print_tables(const bench_session *s)
{
    if (to_stdout(s))
        return;
    if (s->has_ceilings)
        ceilings_print(&s->ceilings);
    bench_print_table(&s->suite, s->bench.precision);
}

static void print_end(const bench_session *s, size_t timed)
{
    (void)flush_stdout(); /* so that on a terminal the last line comes last */
    const bool measures_ceilings = !s->config->no_ceilings && s->config->ceilings_from == NULL;
    /* Like the time of the rows, the total of a resumed run includes its earlier parts. */
    const double total_s = s->suite.start_s + clock_seconds() - s->start_s;
    fprintf(stderr, "bench: %zu row%s in %.1f s (%.1f s with verification%s), seed %llu, ", timed,
            timed == 1 ? "" : "s", s->suite.seconds, total_s,
            measures_ceilings ? " and ceilings" : "", (unsigned long long)s->config->seed);
    if (s->cpu >= 0)
        fprintf(stderr, "pinned to CPU %d\n", s->cpu);
    else
        fputs("not pinned\n", stderr);
}

/* Reports why no row was timed. Returns the exit code. */
static int fail_untimed(const bench_session *s)
{
    bool one_thread = false;
    for (size_t i = 0; i < s->suite.n_rows; i++)
        one_thread = one_thread || s->suite.rows[i].threads <= 1;
    if (s->not_granted != NULL && !one_thread) {
        error_line("bench: no row could be timed: %s", s->not_granted);
        return EXIT_ENVIRONMENT;
    }
    error_line("bench: no row could be timed; the table says why");
    return EXIT_INTERNAL;
}

int bench_session_run(bench_session *s)
{
    int code = prove(s);
    if (code != EXIT_OK)
        return code;
    /* Called before the message, so that an interruption after the message keeps the rows. */
    interrupt_catch();
    print_verified(s);
    warnings_of_build(s->warnings);
    s->bench.cpu = s->cpu = warnings_pin(s->warnings);
    core_capacity_measure(&s->core);
    s->partial = true;
    if ((code = measure_ceilings(s)) != EXIT_OK ||
        (code = bench_suite_run(&s->bench, &s->suite, after_group, s, &interrupt_signal)) !=
            EXIT_OK)
        return code;
    /* Measured before and after the rows, because the clock frequency may change in between. */
    if (!s->config->quick && interrupt_signal == 0)
        code = measure_ceilings(s);
    if (code == EXIT_OK)
        code = recheck_ceilings(s);
    if (code != EXIT_OK)
        return code;
    const size_t timed = bench_session_doubts(s);
    print_tables(s);
    s->partial = s->suite.interrupted || interrupt_signal != 0;
    code = bench_session_write(s);
    print_end(s, timed);
    if (code == EXIT_OK && interrupt_signal != 0) {
        const char *json = s->config->json;
        if (json == NULL)
            fputs("bench: interrupted; nothing was kept; run again with --json FILE\n", stderr);
        else if (output_replaces(json))
            fprintf(stderr, "bench: interrupted; `downhill bench --resume %s` continues the run\n",
                    json);
        return 128 + interrupt_signal;
    }
    return code == EXIT_OK && timed == 0 ? fail_untimed(s) : code;
}

int bench_session_ceilings(bench_session *s)
{
    warnings_of_build(s->warnings);
    s->cpu = warnings_pin(s->warnings);
    core_capacity_measure(&s->core);
    const int code = measure_ceilings(s);
    if (code == EXIT_OK)
        roofs_warn_of_doubts(&s->ceilings, s->warnings);
    if (code == EXIT_OK && !to_stdout(s))
        ceilings_print(&s->ceilings);
    return code == EXIT_OK ? bench_session_write(s) : code;
}
