/* SPDX-License-Identifier: MIT
 *
 * downhill verify: checks every variant on this machine against an f64 reference. */
#define _POSIX_C_SOURCE 200809L
#include "verify/verify.h"

#include "base/error.h"
#include "options.h"

#include <stdio.h>
#include <unistd.h>

static const cli_option options[] = {
    {.name = "isa",
     .kind = OPTION_TEXT,
     .metavar = "LEVEL,...",
     .help = "only these ISA levels, as in avx2,avx512 (default: every usable one)",
     .offset = offsetof(verify_options, isa)},
    {.name = "kernel",
     .kind = OPTION_TEXT,
     .metavar = "NAME",
     .help = "only this kernel",
     .offset = offsetof(verify_options, kernel)},
    {.name = "seed",
     .kind = OPTION_SEED,
     .metavar = "N",
     .help = "seed of the data and of all random choices (default: 1)",
     .offset = offsetof(verify_options, seed)},
    {.name = "case",
     .kind = OPTION_CASE,
     .metavar = "N",
     .help = "only case N, by the number that a failure names",
     .offset = offsetof(verify_options, only_case)},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .help = "only the shapes chosen to reach every tail, no random shapes",
     .offset = offsetof(verify_options, chosen_only)},
    {.name = "stride",
     .kind = OPTION_SIZE,
     .metavar = "N",
     .help = "only every Nth case, for a quicker look (default: 1)",
     .offset = offsetof(verify_options, stride),
     .min = 1,
     .max = 1000000},
    {.name = "fail-fast",
     .kind = OPTION_FLAG,
     .help = "stop at the first failure",
     .offset = offsetof(verify_options, first_only)},
};

static int run(const cli_command *self, int argc, char **argv)
{
    verify_options config = VERIFY_DEFAULTS;
    int operand;
    int code = cli_parse(self, &config, argc, argv, &operand);
    if (code != CLI_CONTINUE)
        return code;
    config.isa = cli_default_isa(config.isa);
    config.progress = isatty(STDERR_FILENO);
    verify_result result;
    code = verify_run(&config, &result);
    if (code == EXIT_OK || code == EXIT_CHECK)
        printf("verify: %llu checks on %zu ISA level%s, %llu failed, seed %llu, %.1f s\n",
               (unsigned long long)result.checks, result.levels, result.levels == 1 ? "" : "s",
               (unsigned long long)result.failures, (unsigned long long)config.seed,
               result.seconds);
    return code;
}

const cli_command cli_verify = {.name = "verify",
                                .operands = "",
                                .summary =
                                    "Check every variant against an f64 reference on this machine.",
                                .options = options,
                                .n_options = sizeof options / sizeof options[0],
                                .run = run};
