/* SPDX-License-Identifier: MIT
 *
 * downhill reproduce: trains a small fixed set on every usable level and compares the models with
 * those of this version, bit for bit. */
#include "base/error.h"
#include "base/levels.h"
#include "options.h"
#include "parallel/together.h"
#include "task.h"
#include "train/certificate.h"

#include <stdio.h>
#include <string.h>

typedef struct reproduce_config {
    const char *isa;
    size_t threads;
    bool quiet;
    uint64_t given; /* bit i: option i was given (cli_is_given()) */
} reproduce_config;

enum { ISA, THREADS, QUIET };

static const cli_option options[] = {
    [ISA] = {.name = "isa",
             .kind = OPTION_TEXT,
             .metavar = "LEVEL,...",
             .help = "only these ISA levels, as in avx2,avx512 (default: every usable one)",
             .offset = offsetof(reproduce_config, isa)},
    [THREADS] =
        {.name = "threads",
         .kind = OPTION_SIZE,
         .metavar = "N",
         .help =
             "train with 1, 2, 4 ... threads, and with N (default: 8); bf16 and levels without a "
             "fixed order of sums: with 1",
         .offset = offsetof(reproduce_config, threads),
         .min = 1,
         .max = 64},
    [QUIET] = {.name = "quiet",
               .kind = OPTION_FLAG,
               .help = "print nothing but errors",
               .offset = offsetof(reproduce_config, quiet)},
};

/* Models that were compared with the committed ones, and those that nothing promises. */
struct counts {
    size_t compared, others;
};

/* Returns the next of 1, 2, 4 ... and last the maximum, or a larger number after it. */
static size_t next_threads(size_t threads, size_t max)
{
    return threads < max && 2 * threads > max ? max : 2 * threads;
}

/* Trains a kind on a level with 1, 2, 4 ... threads, and prints a line. Returns the number of models
 * that differ. */
static size_t check_level(const reproduce_config *config, const reproduce_kind *kind,
                          const downhill_kernels *kernels, struct counts *counts, int *code)
{
    const char *level = downhill_kernels_name(kernels);
    const bool promised = reproduce_is_promised(kernels, kind->element);
    /* Without a fixed order the number of threads changes the bits; bf16 is trained on one. */
    const size_t threads_max = promised && kind->element != ELEMENT_BF16 ? config->threads : 1;
    size_t different = 0;
    certificate result = {.step = 0};
    char threads_text[64] = "";
    for (size_t threads = 1; threads <= threads_max; threads = next_threads(threads, threads_max)) {
        const downhill_status status = certificate_check(kind, kernels, threads, &result);
        if (status != DOWNHILL_OK) {
            error_line("reproduce: %s, %s: %s", kind->dtype, level, downhill_status_text(status));
            *code = EXIT_INTERNAL;
            return different;
        }
        const size_t length = strlen(threads_text);
        snprintf(threads_text + length, sizeof threads_text - length, "%s%zu",
                 length > 0 ? " " : "", threads);
        *(promised ? &counts->compared : &counts->others) += 1;
        different += result.differs;
        if (result.differs)
            error_line("reproduce: %s, %s, %s, %zu thread%s: after step %zu of %d the model is %s "
                       "and should be %s; run `downhill verify --isa %s`",
                       kind->dtype, task_loss_words[kind->loss.kind], level, threads,
                       threads == 1 ? "" : "s", result.step + 1, REPRODUCE_STEPS, result.digest,
                       kind->digests[result.step], level);
    }
    if (!config->quiet)
        printf("%-5s %-8s %-12s %-10s %.16s  %s\n", kind->dtype, task_loss_words[kind->loss.kind],
               level, threads_text, result.digest,
               different > 0 ? "DIFFERENT"
               : promised    ? "as committed"
                             : "not compared: no fixed order of sums");
    return different;
}

static int run(const cli_command *self, int argc, char **argv)
{
    reproduce_config config = {.threads = 8};
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(cli_default_isa(config.isa), tables);
    if (n_tables == 0)
        return EXIT_ISA;
    char why[192];
    const size_t wanted = config.threads;
    config.threads = together_most_granted(wanted, why, sizeof why);
    if (config.threads < wanted && cli_is_given(self, &config, THREADS)) {
        error_line("reproduce: --threads: %s", why);
        return EXIT_ENVIRONMENT;
    }
    if (config.threads < wanted)
        warning_line("reproduce: only %zu of %zu threads are tried: %s", config.threads, wanted,
                     why);
    if (!config.quiet)
        printf("%-5s %-8s %-12s %-10s %-16s  downhill %s\n", "dtype", "loss", "ISA level",
               "threads", "model digest", downhill_version());
    struct counts counts = {0, 0};
    size_t different = 0;
    code = EXIT_OK;
    for (size_t k = 0; k < REPRODUCE_KINDS; k++)
        for (size_t t = 0; t < n_tables && code == EXIT_OK; t++)
            if (!levels_repeat(tables, t, reproduce_kinds[k].element))
                different += check_level(&config, &reproduce_kinds[k], tables[t], &counts, &code);
    if (code != EXIT_OK)
        return code;
    if (!config.quiet)
        printf("%zu models compared, %zu different; %zu not compared\n", counts.compared, different,
               counts.others);
    return different == 0 ? EXIT_OK : EXIT_CHECK;
}

const cli_command cli_reproduce = {
    .name = "reproduce",
    .operands = "",
    .summary = "Check that training gives the models of this version, bit for bit.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .given = offsetof(reproduce_config, given),
    .run = run};
