/* SPDX-License-Identifier: MIT
 *
 * downhill data: dispatches to data gen and data check. */
#include "cmd_data.h"

#include "base/error.h"
#include "base/output.h"
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

#define AT(member) .offset = offsetof(data_config, member)

static const cli_option options[] = {
    {.name = "quiet",
     .kind = OPTION_FLAG,
     AT(quiet),
     .help = "print nothing but errors and warnings"},
    {.name = "json",
     .kind = OPTION_TEXT,
     .metavar = OPTION_FILE,
     AT(json),
     .help = "write the results to FILE ('-': standard output, and nothing else there)"},
};

const cli_group data_options = {options, sizeof options / sizeof options[0]};

bool data_prints(const data_config *config)
{
    return !config->quiet && !output_is_stdout(config->json);
}

static const cli_command *const commands[] = {&cli_data_gen, &cli_data_check};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

/* Returns the name without "data ": "gen" for "data gen". */
static const char *last_word(const cli_command *command)
{
    return strchr(command->name, ' ') + 1;
}

static int run(const cli_command *self, int argc, char **argv)
{
    if (argc < 2) {
        error_line("data: no command given; give gen or check");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], last_word(commands[i])) == 0)
            return commands[i]->run(commands[i], argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_print_help(self);
        return EXIT_OK;
    }
    char suggestion[SUGGEST_TEXT_MAX];
    suggest_words words = {.count = N_COMMANDS};
    for (size_t i = 0; i < N_COMMANDS; i++)
        words.words[i] = last_word(commands[i]);
    error_line("data: '%s' is not known%s; give gen or check", argv[1],
               suggest_text(argv[1], &words, "", suggestion));
    return EXIT_USAGE;
}

const cli_command cli_data = {.name = "data",
                              .operands = "gen|check",
                              .summary = "Make a data set (data gen), or check one (data check).",
                              .run = run};
