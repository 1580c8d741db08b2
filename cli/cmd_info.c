/* SPDX-License-Identifier: MIT
 *
 * downhill info: describes the machine, and which ISA levels are usable on it. */
#include "base/environment.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/output.h"
#include "base/record.h"
#include "options.h"

#include "downhill.h"

#include <stdio.h>
#include <string.h>

struct config {
    bool json;
};

static const cli_option options[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .help = "print as JSON",
     .offset = offsetof(struct config, json)},
};

static const char *yes_no(int value)
{
    return value ? "yes" : "no";
}

static void print_ignored(void)
{
    for (size_t i = 0; environment_removed(i) != NULL; i++) {
        const char *variable = environment_removed(i);
        printf("%s%.*s", i == 0 ? "Ignored    " : ", ", (int)strcspn(variable, "="), variable);
    }
    if (environment_removed(0) != NULL)
        puts(": downhill binds its threads itself, and describes the machine that it runs on");
}

static void print_machine(const machine *m)
{
    json_t *record = record_to_json(m, "");
    char id[RECORD_ID_SIZE];
    record_id(record, id);
    json_decref(record);
    printf("Machine    %s\n", id);
    printf("CPU        %s%s%s\n", m->cpu_name, m->hypervisor[0] ? ", under " : "", m->hypervisor);
    printf("Topology   %u package%s, %u NUMA node%s, %u core%s, %u PU%s; allowed CPUs %s\n",
           m->packages, m->packages == 1 ? "" : "s", m->numa_nodes, m->numa_nodes == 1 ? "" : "s",
           m->cores, m->cores == 1 ? "" : "s", m->pus, m->pus == 1 ? "" : "s", m->allowed_cpus);
    printf("Caches    ");
    for (size_t i = 0; i < m->n_caches; i++) {
        const machine_cache *c = &m->caches[i];
        const bool mib = c->bytes >= 1u << 20;
        printf("%s L%u%s %llu %s", i == 0 ? "" : ",", c->level,
               c->type[0] == 'd'   ? "d"
               : c->type[0] == 'i' ? "i"
                                   : "",
               (unsigned long long)(mib ? c->bytes >> 20 : c->bytes >> 10), mib ? "MiB" : "KiB");
        if (c->shared_by_pus > 1)
            printf(" (shared by %u PUs)", c->shared_by_pus);
    }
    if (m->n_caches == 0)
        printf(" unknown");
    printf("\nMemory     %.1f GiB\nSystem     %s on %s\n", (double)m->memory_bytes / 0x1p30,
           m->kernel, m->host_name);
    print_ignored();
}

static void print_levels(void)
{
    printf("\n%-13s %-9s %-5s %-5s %-10s %-7s %s\n", "ISA level", "compiled", "CPU", "OS",
           "permitted", "chosen", "missing");
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        printf("%-13s %-9s %-5s %-5s %-10s %-7s %s\n", level.name, yes_no(level.compiled),
               yes_no(level.cpu), yes_no(level.os), yes_no(level.permitted), yes_no(level.chosen),
               level.missing[0] != '\0' ? level.missing : "-");
}

static void print_features(void)
{
    printf("\n%-13s %-5s %-5s %s\n", "CPU feature", "CPU", "OS", "permitted");
    downhill_feature feature;
    for (size_t i = 0; downhill_feature_at(i, &feature) == DOWNHILL_OK; i++)
        printf("%-13s %-5s %-5s %s\n", feature.name, yes_no(feature.cpu), yes_no(feature.os),
               feature.disabled        ? "no (DOWNHILL_DISABLE)"
               : feature.permitted < 0 ? "not requested"
                                       : yes_no(feature.permitted));
}

static int run(const cli_command *self, int argc, char **argv)
{
    struct config config = {false};
    int operand;
    const int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    machine m;
    machine_read(&m);
    int written = EXIT_OK;
    if (config.json) {
        json_t *root = json_object();
        output_set(root, "schema_version", json_integer(OUTPUT_SCHEMA_VERSION));
        output_set(root, "machine", machine_to_json(&m));
        output_set(root, "build", machine_build_to_json());
        written = output_json("-", root);
    } else {
        print_machine(&m);
        print_levels();
        print_features();
    }
    machine_close(&m);
    const downhill_kernels *chosen;
    char why[512];
    if (written == EXIT_OK && downhill_select(NULL, &chosen, why, sizeof why) != DOWNHILL_OK) {
        error_line("%s", why);
        return EXIT_ISA;
    }
    return written;
}

const cli_command cli_info = {
    .name = "info",
    .operands = "",
    .summary = "Show which ISA levels run on this machine, and what the others lack.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .run = run};
