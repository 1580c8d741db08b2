/* SPDX-License-Identifier: MIT
 *
 * downhill doctor: reports what disturbs measurements on this machine, with remedies. Changes
 * nothing. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/doctor.h"
#include "base/error.h"
#include "base/output.h"
#include "bench/ceilings.h"
#include "bench/core_share.h"
#include "bench/counters.h"
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct config {
    const char *json;
    bool strict;
};

static const cli_option options[] = {
    {.name = "strict",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct config, strict),
     .help = "exit with 5 if any finding is a warning"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     .offset = offsetof(struct config, json),
     .help = "write the findings to FILE ('-': to standard output, instead of the list)"},
};

/* Observes the CPU that a benchmark would use for about a second of full load. */
static doctor_sample take_sample(counters *c)
{
    enum { LOOKS = 20, CORE_LOOKS = 100 };
    static core_capacity core;
    static double seen[LOOKS * CORE_LOOKS];
    char why[128];
    const int cpu = machine_pin(why, sizeof why);
    const double start_s = clock_seconds();
    const conditions before = conditions_now("", cpu);
    doctor_sample s = {.clock_low_ghz = INFINITY};
    for (int i = 0; i < LOOKS; i++) {
        const double ghz = ceilings_clock(200);
        s.clock_low_ghz = fmin(s.clock_low_ghz, ghz);
        s.clock_high_ghz = fmax(s.clock_high_ghz, ghz);
        for (int k = 0; k < CORE_LOOKS; k++)
            seen[i * CORE_LOOKS + k] = core_observe(&core);
    }
    for (int i = 0; i < LOOKS * CORE_LOOKS; i++)
        s.shared += (core_share(&core, seen[i]) < CORE_SHARE_MIN) / (double)(LOOKS * CORE_LOOKS);
    const conditions after = conditions_now("", cpu);
    s.seconds = clock_seconds() - start_s;
    s.passed = conditions_between(&before, &after);
    double load;
    s.load = getloadavg(&load, 1) == 1 ? load : (double)NAN;
    counters_open(c);
    counters_close(c);
    s.counters_missing = c->missing;
    return s;
}

static json_t *to_json(const doctor *found)
{
    json_t *root = json_object(), *list = json_array();
    for (size_t i = 0; i < found->count; i++) {
        const doctor_finding *f = &found->findings[i];
        json_t *o = json_object();
        output_set(o, "topic", json_string(f->topic));
        output_set(o, "verdict", json_string(doctor_words[f->verdict]));
        output_set(o, "what", json_string(f->what));
        output_set(o, "effect", json_string(f->effect));
        output_set(o, "remedy", json_string(f->remedy));
        json_array_append_new(list, o);
    }
    output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
    output_set(root, "findings", list);
    return root;
}

static void print(const doctor *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const doctor_finding *f = &found->findings[i];
        printf("%-8s %-23s %s\n", doctor_words[f->verdict], f->topic, f->what);
        if (f->verdict == DOCTOR_NOTE || f->verdict == DOCTOR_WARN)
            printf("%-32s %s\n%-32s try: %s\n", "", f->effect, "", f->remedy);
    }
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config config = {0};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    if (config.json != NULL && (code = output_check(config.json, OUTPUT_FINDINGS)) != EXIT_OK)
        return code;
    machine m; /* before the thread is bound */
    machine_read(&m);
    counters c;
    const doctor_sample s = take_sample(&c);
    const doctor found = doctor_look(&m, "", &s);
    machine_close(&m);
    size_t warnings = 0;
    for (size_t i = 0; i < found.count; i++)
        warnings += found.findings[i].verdict == DOCTOR_WARN;
    if (config.json == NULL || output_replaces(config.json))
        print(&found);
    code = config.json != NULL ? output_json(config.json, to_json(&found)) : EXIT_OK;
    if (code == EXIT_OK && config.strict && warnings > 0) {
        error_line("doctor: --strict: %zu finding%s a warning", warnings,
                   warnings == 1 ? " is" : "s are");
        return EXIT_ENVIRONMENT;
    }
    return code;
}

const cli_command cli_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "Show what disturbs measurements on this machine, and the remedies.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
