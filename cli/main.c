/* SPDX-License-Identifier: MIT
 *
 * downhill SUBCOMMAND. */
#include "base/error.h"
#include "options.h"

#include "downhill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const cli_command *const commands[] = {
    &cli_info,       &cli_doctor, &cli_verify,  &cli_bench,     &cli_compare,
    &cli_report,     &cli_train,  &cli_predict, &cli_gradcheck, &cli_landscape,
    &cli_step_sweep, &cli_plot,   &cli_data};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_help(void)
{
    puts("Usage: downhill COMMAND [OPTION]...\n\n"
         "SIMD kernels for linear classifiers: proven, measured, and put to work.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n`downhill COMMAND --help` shows the options of a command.\n\n"
         "Environment:\n"
         "  DOWNHILL_ISA=LEVEL             as --isa LEVEL\n"
         "  DOWNHILL_DISABLE=FEATURE,...   behave as on a CPU without these features\n"
         "  DOWNHILL_FASHION_MNIST=DIR     where the Fashion-MNIST files are\n\n"
         "Exit codes:\n"
         "  0 fine   1 a check failed or training diverged   2 usage, or nothing matched\n"
         "  3 bad input data   4 the ISA asked for is not usable here\n"
         "  5 something that is needed is not installed\n"
         "  70 out of memory or results cannot be written   128+n ended by signal n");
}

static int unknown_command(const char *name)
{
    error_line("no command '%s'; `downhill --help` lists them", name);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        error_line("no command given; `downhill --help` lists them");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        print_help();
        return EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("downhill %s\n", downhill_version());
        return EXIT_OK;
    }
    if (strcmp(name, "help") == 0) {
        const cli_command *command = find_command(argv[2]);
        if (command == NULL)
            return unknown_command(argv[2]);
        cli_print_help(command);
        return EXIT_OK;
    }
    const cli_command *command = find_command(name);
    return command != NULL ? command->run(command, argc - 1, argv + 1) : unknown_command(name);
}

int main(int argc, char **argv)
{
    const int code = run(argc, argv);
    /* A full disk or a closed pipe shows here at the latest; a command that failed has said why. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_OK) {
        error_line("standard output: %s", strerror(errno));
        return EXIT_INTERNAL;
    }
    return code;
}
