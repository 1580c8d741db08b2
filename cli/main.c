/* SPDX-License-Identifier: MIT
 *
 * Entry point: finds the command and runs it. */
#define _POSIX_C_SOURCE 200809L
#include "base/error.h"
#include "base/json_memory.h"
#include "base/suggest.h"
#include "interrupt.h"
#include "options.h"

#include "downhill.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {
    &cli_info,      &cli_doctor,    &cli_verify,     &cli_reproduce, &cli_bench, &cli_ab,
    &cli_lockstep,  &cli_compare,   &cli_gallery,    &cli_report,    &cli_train, &cli_predict,
    &cli_gradcheck, &cli_landscape, &cli_step_sweep, &cli_plot,      &cli_data};

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
         "SIMD kernels for linear classifiers: verified, measured, and put to work.\n\n"
         "Commands:");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    puts("\n`downhill COMMAND --help` shows the options of a command, which may be abbreviated.\n\n"
         "Environment:\n"
         "  DOWNHILL_ISA=LEVEL             as --isa LEVEL\n"
         "  DOWNHILL_DISABLE=FEATURE,...   behave as on a CPU without these features\n"
         "  DOWNHILL_FASHION_MNIST=DIR     where the Fashion-MNIST files are\n\n"
         "Exit codes:\n"
         "  0      success\n"
         "  1      a check or training failed, or compare or ab --fail-on found slower rows\n"
         "  2      wrong usage, an output that cannot be written or would replace a\n"
         "         file of another kind, or nothing matched\n"
         "  3      bad input data\n"
         "  4      the ISA level is unknown or not usable here\n"
         "  5      something is not installed, not granted or not permitted, or doctor\n"
         "         --strict found a warning\n"
         "  70     out of memory, or results could not be written\n"
         "  128+n  ended by signal n");
}

static int unknown_command(const char *name)
{
    char suggestion[SUGGEST_TEXT_MAX];
    suggest_words words = {.count = N_COMMANDS};
    for (size_t i = 0; i < N_COMMANDS; i++)
        words.words[i] = commands[i]->name;
    (void)suggest_text(name, &words, "", suggestion);
    const suggest_words options = {.count = 2, .words = {"version", "help"}};
    if (suggestion[0] == '\0')
        (void)suggest_text(name + strspn(name, "-"), &options, "--", suggestion);
    error_line("no command '%s'%s; `downhill --help` lists them", name, suggestion);
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
    if (command == NULL)
        return unknown_command(name);
    interrupt_announce(name);
    return command->run(command, argc - 1, argv + 1);
}

/* Opens /dev/null in place of each standard stream that is closed. Otherwise the next file to be
 * opened would get its descriptor, and printed text would go into that file. The modes make reads
 * of stdin and writes to stdout fail, as on a closed stream; messages to a closed stderr are
 * lost. */
static void keep_standard_streams(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFD) < 0)
            (void)open("/dev/null", i == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
    keep_standard_streams();
    json_memory_watch();
    const int code = run(argc, argv);
    /* Catches a full disk or a closed pipe; a command that failed has printed its reason. */
    const int reason = flush_stdout();
    if (reason != 0 && code == EXIT_OK) {
        error_line("standard output: cannot write: %s; %s", strerror(reason), write_remedy(reason));
        return EXIT_INTERNAL;
    }
    return code;
}
