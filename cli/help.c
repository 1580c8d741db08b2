/* SPDX-License-Identifier: MIT
 *
 * What --help says of a command, from its table of options. */
#include "options.h"

#include <stdio.h>
#include <string.h>

/* The text from column `from` on, in lines of 80. */
static void print_wrapped(const char *text, size_t from)
{
    enum { COLUMNS = 80 };
    size_t column = from;
    for (const char *word = text; *word != '\0'; word += strspn(word, " ")) {
        const size_t length = strcspn(word, " ");
        if (column > from && column + 1 + length > COLUMNS) {
            printf("\n%*s", (int)from, "");
            column = from;
        }
        column += (size_t)printf("%s%.*s", column > from ? " " : "", (int)length, word);
        word += length;
    }
    putchar('\n');
}

static void print_option(const char *left, const char *help)
{
    enum { HELP_COLUMN = 27 };
    printf("  %-*s ", HELP_COLUMN - 3, left);
    print_wrapped(help, HELP_COLUMN);
}

void cli_print_help(const cli_command *command)
{
    printf("Usage: downhill %s [OPTION]...%s%s\n\n", command->name,
           command->operands[0] != '\0' ? " " : "", command->operands);
    print_wrapped(command->summary, 0);
    const cli_option *o = cli_option_at(command, 0);
    if (o == NULL || o->heading == NULL)
        puts("\nOptions:");
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++) {
        if (o->heading != NULL)
            printf("\n%s:\n", o->heading);
        char left[64];
        const char letter[] = {'-', o->letter, ',', ' ', '\0'};
        snprintf(left, sizeof left, "%s--%s%s%s", o->letter != 0 ? letter : "", o->name,
                 o->metavar != NULL ? " " : "", o->metavar != NULL ? o->metavar : "");
        print_option(left, o->help);
    }
    print_option("--help", "show this text");
}
