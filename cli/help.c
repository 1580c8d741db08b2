/* SPDX-License-Identifier: MIT
 *
 * Prints the help of a command from its option table. */
#define _GNU_SOURCE
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80, HELP_COLUMN = 27 };

/* Prints a text from column `from` on, wrapped at column 80. */
static void print_wrapped(const char *text, size_t from)
{
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

/* Prints one option. If it is too long for its column, the help text starts on the next line. */
static void print_option(const char *left, const char *help)
{
    if (strlen(left) > HELP_COLUMN - 3)
        printf("  %s\n%*s", left, HELP_COLUMN, "");
    else
        printf("  %-*s ", HELP_COLUMN - 3, left);
    print_wrapped(help, HELP_COLUMN);
}

/* Writes the range of a numeric option, such as " [1..64]"; "" for other kinds. */
static void range_text(const cli_option *o, char text[], size_t size)
{
    const char *unit = o->kind == OPTION_SECONDS ? "s" : "";
    text[0] = '\0';
    switch (o->kind) {
    case OPTION_SIZE:
    case OPTION_COUNT:
    case OPTION_REAL:
    case OPTION_DOUBLE:
    case OPTION_SECONDS:
    case OPTION_SHARE:
        snprintf(text, size, " [%.10g..%.10g%s%c", o->min, o->max, unit, o->below_max ? ')' : ']');
        break;
    case OPTION_SEED:
    case OPTION_CASE:
    case OPTION_FLAG:
    case OPTION_TEXT:
    case OPTION_CHOICE:
    case OPTION_EACH:
        break;
    }
}

static void print_one(const cli_option *o)
{
    char left[160], range[64], *help = NULL;
    const char letter[] = {'-', o->letter, ',', ' ', '\0'};
    /* The choices themselves are shown in place of a metavar. */
    const char *value = o->kind == OPTION_CHOICE ? o->choices : o->metavar;
    snprintf(left, sizeof left, "%s--%s%s%s", o->letter != 0 ? letter : "", o->name,
             value != NULL ? " " : "", value != NULL ? value : "");
    range_text(o, range, sizeof range);
    const bool enough = asprintf(&help, "%s%s", o->help, range) >= 0;
    print_option(left, enough ? help : o->help);
    if (enough)
        free(help);
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
        print_one(o);
    }
    print_option("--help", "show this text");
}
