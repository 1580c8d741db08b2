/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "options.h"

#include "base/error.h"
#include "base/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64, FIRST_VALUE = 256, CHOICES_BYTES_MAX = 256 };

const cli_option *cli_option_at(const cli_command *command, size_t i)
{
    for (size_t g = 0; g < CLI_GROUPS_MAX && command->groups[g] != NULL; g++) {
        if (i < command->groups[g]->n_options)
            return &command->groups[g]->options[i];
        i -= command->groups[g]->n_options;
    }
    return i < command->n_options ? &command->options[i] : NULL;
}

/* ---- values ---- */

static bool parse_unsigned(const char *text, uint64_t *value)
{
    /* strtoull() accepts "-1" and returns a large number. */
    if (!isdigit((unsigned char)text[0]))
        return false;
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_real(const char *text, double *value, const char **end)
{
    char *stop;
    errno = 0;
    *value = strtod(text, &stop);
    *end = stop;
    return stop != text && errno == 0 && isfinite(*value) && !isspace((unsigned char)text[0]);
}

static bool parse_seconds(const char *text, double *value)
{
    const char *unit;
    if (!parse_real(text, value, &unit))
        return false;
    if (strcmp(unit, "ms") == 0)
        *value /= 1e3; /* divided, because 1e-3 and 1e-6 are rounded */
    else if (strcmp(unit, "us") == 0)
        *value /= 1e6;
    else if (strcmp(unit, "s") != 0 && *unit != '\0')
        return false;
    return true;
}

bool cli_seconds(const char *text, double *seconds, bool *has_unit)
{
    const char *unit;
    *has_unit = parse_real(text, seconds, &unit) && *unit != '\0';
    return parse_seconds(text, seconds);
}

static bool parse_share(const char *text, double *value)
{
    const char *unit;
    if (!parse_real(text, value, &unit))
        return false;
    if (strcmp(unit, "%") == 0)
        *value *= 0.01;
    else if (*unit != '\0')
        return false;
    return true;
}

/* Sets *index to that of the word in `choices` which is the text. */
static bool parse_choice(const char *text, const char *choices, int *index)
{
    *index = 0;
    for (const char *word = choices; *word != '\0'; (*index)++) {
        const size_t length = strcspn(word, "|");
        if (strlen(text) == length && strncmp(text, word, length) == 0)
            return true;
        word += length + (word[length] == '|');
    }
    return false;
}

static void suggest_choice(const cli_option *o, const char *text, char suggestion[SUGGEST_TEXT_MAX])
{
    char all[CHOICES_BYTES_MAX], *rest = all;
    suggest_words words = {0};
    snprintf(all, sizeof all, "%s", o->choices);
    while (rest != NULL && words.count < SUGGEST_MAX)
        words.words[words.count++] = strsep(&rest, "|");
    (void)suggest_text(text, &words, "", suggestion);
}

static bool is_whole(const cli_option *o)
{
    return o->kind == OPTION_SIZE || o->kind == OPTION_COUNT || o->kind == OPTION_SEED ||
           o->kind == OPTION_CASE;
}

/* Returns whether the text is a number in the notation of the option, whatever its value. */
static bool is_number(const cli_option *o, const char *text)
{
    double real;
    const char *rest;
    if (is_whole(o))
        return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
    if (o->kind == OPTION_SECONDS)
        return parse_seconds(text, &real);
    if (o->kind == OPTION_SHARE)
        return parse_share(text, &real);
    return parse_real(text, &real, &rest) && *rest == '\0';
}

/* Writes the accepted values of a numeric option, as in "a whole number from 1 to 256". */
static void describe_range(const cli_option *o, char *range, size_t size)
{
    if (o->kind == OPTION_SIZE && o->min == o->max)
        snprintf(range, size, "%g, the only value that this version accepts", o->min);
    else if (o->kind == OPTION_SEED || o->kind == OPTION_CASE)
        snprintf(range, size, "a whole number from 0 to %s",
                 o->kind == OPTION_SEED ? "2^63-1" : "2^31-1");
    else if (is_whole(o))
        snprintf(range, size, "a whole number from %.0f to %.0f%s", o->min, o->max,
                 o->kind == OPTION_COUNT ? ", or all" : "");
    else
        snprintf(range, size, "a number %s %g %s %g%s", o->below_max ? "of at least" : "from",
                 o->min, o->below_max ? "and below" : "to", o->max,
                 o->kind == OPTION_SECONDS ? " seconds, as in 0.5s or 500ms"
                 : o->kind == OPTION_SHARE ? ", as in 0.01 or 1%"
                                           : "");
}

static int refuse_value(const cli_command *command, const cli_option *o, const char *text)
{
    char range[96], suggestion[SUGGEST_TEXT_MAX];
    if (o->kind == OPTION_CHOICE) {
        suggestion[0] = '\0';
        suggest_choice(o, text, suggestion);
        error_line("%s: --%s: '%s' is not one of %s%s", command->name, o->name, text, o->choices,
                   suggestion);
        return EXIT_USAGE;
    }
    describe_range(o, range, sizeof range);
    if (is_number(o, text))
        error_line("%s: --%s: %s is out of range; give %s", command->name, o->name, text, range);
    else
        error_line("%s: --%s: '%s' is not %s%s", command->name, o->name, text, range,
                   is_whole(o) ? ", written in digits only" : "");
    return EXIT_USAGE;
}

static bool in_range(const cli_option *o, double value)
{
    return value >= o->min && (o->below_max ? value < o->max : value <= o->max);
}

static int set_value(const cli_command *command, const cli_option *o, void *config,
                     const char *text)
{
    void *member = (char *)config + o->offset;
    uint64_t whole = 0;
    double real = 0.0;
    const char *rest = "";
    bool good = true;
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        break;
    case OPTION_TEXT:
        if (text[0] == '\0' && strcmp(o->metavar, OPTION_FILE) == 0) {
            error_line("%s: --%s: the name is empty; name a file", command->name, o->name);
            return EXIT_USAGE;
        }
        *(const char **)member = text;
        break;
    case OPTION_SIZE:
        good = parse_unsigned(text, &whole) && in_range(o, (double)whole);
        *(size_t *)member = (size_t)whole;
        break;
    case OPTION_COUNT:
        if (strcmp(text, "all") == 0) {
            *(size_t *)member = SIZE_MAX;
            break;
        }
        good = parse_unsigned(text, &whole) && in_range(o, (double)whole);
        *(size_t *)member = (size_t)whole;
        break;
    case OPTION_SEED:
        /* Limited to the integers of jansson, so that results can record it. */
        good = parse_unsigned(text, (uint64_t *)member) && *(uint64_t *)member <= INT64_MAX;
        break;
    case OPTION_CASE:
        good = parse_unsigned(text, &whole) && whole <= INT32_MAX;
        *(long *)member = (long)whole;
        break;
    case OPTION_REAL:
        good = parse_real(text, &real, &rest) && *rest == '\0' && in_range(o, real) &&
               !(o->below_max && !in_range(o, (double)(float)real));
        if (good && real != 0.0 && (float)real == 0.0f) {
            error_line("%s: --%s: '%s' rounds to 0 in f32; give a larger value", command->name,
                       o->name, text);
            return EXIT_USAGE;
        }
        *(float *)member = (float)real;
        break;
    case OPTION_DOUBLE:
        good = parse_real(text, &real, &rest) && *rest == '\0' && in_range(o, real);
        *(double *)member = real;
        break;
    case OPTION_SECONDS:
        good = parse_seconds(text, &real) && in_range(o, real);
        *(double *)member = real;
        break;
    case OPTION_SHARE:
        good = parse_share(text, &real) && in_range(o, real);
        *(double *)member = real;
        break;
    case OPTION_CHOICE:
        good = parse_choice(text, o->choices, (int *)member);
        *(int *)member += o->first_choice;
        break;
    case OPTION_EACH: {
        option_list *list = member;
        if (list->count == OPTION_LIST_MAX) {
            error_line("%s: --%s: given more than %d times", command->name, o->name,
                       OPTION_LIST_MAX);
            return EXIT_USAGE;
        }
        list->values[list->count++] = text;
        break;
    }
    }
    return good ? EXIT_OK : refuse_value(command, o, text);
}

/* ---- the command line ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Converts a letter that getopt_long() returned to the value of its long option. */
static int option_of_letter(const cli_command *command, int found)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++)
        if (o->letter != 0 && o->letter == found)
            return FIRST_VALUE + (int)i;
    return found;
}

bool cli_is_given(const cli_command *command, const void *config, size_t i)
{
    const uint64_t given = *(const uint64_t *)((const char *)config + command->given);
    return (given >> i & 1) != 0;
}

int cli_refuse_given(const cli_command *command, const void *config, const char *const *names,
                     const char *why)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++)
        for (const char *const *name = names; *name != NULL; name++)
            if (strcmp(o->name, *name) == 0 && cli_is_given(command, config, i)) {
                error_line("%s: --%s: has no meaning %s; leave it out", command->name, o->name,
                           why);
                return EXIT_USAGE;
            }
    return CLI_CONTINUE;
}

/* Refuses a long option that is unknown or an ambiguous prefix, and names the options that may be
 * meant. */
static int refuse_unknown(const cli_command *command, const char *argument)
{
    const size_t length = strcspn(argument, "=") - 2; /* without "--" and a value */
    const char *name = argument + 2;
    char given[64], suggestion[SUGGEST_TEXT_MAX], several[256] = "";
    size_t used = 0, matches = 0;
    suggest_words words = {0};
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++) {
        words.words[words.count++] = o->name;
        if (length == 0 || strncmp(o->name, name, length) != 0)
            continue;
        const int n = snprintf(several + used, sizeof several - used, "%s--%s",
                               matches++ > 0 ? ", " : "", o->name);
        used = smaller(used + (size_t)n, sizeof several - 1);
    }
    if (matches > 1) {
        error_line("%s: %.*s may be any of %s; write the full name", command->name, (int)length + 2,
                   argument, several);
        return EXIT_USAGE;
    }
    snprintf(given, sizeof given, "%.*s", (int)smaller(length, sizeof given - 1), name);
    error_line("%s: %.*s is not an option%s; `downhill %s --help` lists the options", command->name,
               (int)length + 2, argument, suggest_text(given, &words, "--", suggestion),
               command->name);
    return EXIT_USAGE;
}

/* Returns whether the argument is a long option with one dash, which getopt_long() reads as
 * letters. */
static bool is_one_dash(const cli_command *command, const char *argument)
{
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++)
        if (argument != NULL && argument[0] == '-' && strcmp(argument + 1, o->name) == 0)
            return true;
    return false;
}

int cli_parse(const cli_command *command, void *config, int argc, char **argv, int *first_operand)
{
    enum { HELP = FIRST_VALUE + OPTIONS_MAX };
    struct option longs[OPTIONS_MAX + 2] = {{0}};
    char letters[2 * OPTIONS_MAX + 3] = ":h";
    const cli_option *o;
    size_t count = 0, used = strlen(letters);
    for (; (o = cli_option_at(command, count)) != NULL; count++) {
        const bool flag = o->kind == OPTION_FLAG;
        longs[count] = (struct option){o->name, flag ? no_argument : required_argument, NULL,
                                       FIRST_VALUE + (int)count};
        if (o->letter != 0)
            letters[used++] = o->letter;
        if (o->letter != 0 && !flag)
            letters[used++] = ':';
    }
    longs[count] = (struct option){"help", no_argument, NULL, HELP};

    opterr = 0; /* messages are printed below */
    optind = 1;
    for (;;) {
        const int found = option_of_letter(command, getopt_long(argc, argv, letters, longs, NULL));
        if (found == -1)
            break;
        if (found == HELP || found == 'h') {
            cli_print_help(command);
            return EXIT_OK;
        }
        if (found == ':' || found == '?') {
            const char letter[] = {'-', (char)optopt, '\0'};
            const bool is_letter = optopt > 0 && optopt < FIRST_VALUE;
            if (optopt == 0)
                return refuse_unknown(command, argv[optind - 1]);
            if (found == '?' && is_one_dash(command, argv[optind])) {
                error_line("%s: %s is not an option (did you mean -%s?)", command->name,
                           argv[optind], argv[optind]);
                return EXIT_USAGE;
            }
            error_line("%s: %s%s; `downhill %s --help` lists the options", command->name,
                       is_letter ? letter : argv[optind - 1],
                       found == ':'            ? " needs a value"
                       : optopt >= FIRST_VALUE ? ": the option takes no value"
                                               : " is not an option",
                       command->name);
            return EXIT_USAGE;
        }
        const size_t number = (size_t)(found - FIRST_VALUE);
        const int code = set_value(command, cli_option_at(command, number), config, optarg);
        if (command->given != 0)
            *(uint64_t *)((char *)config + command->given) |= UINT64_C(1) << number;
        if (code != EXIT_OK)
            return code;
    }
    if (optind < argc && command->operands[0] == '\0') {
        error_line("%s: unexpected argument '%s'; `downhill %s --help` lists the options",
                   command->name, argv[optind], command->name);
        return EXIT_USAGE;
    }
    *first_operand = optind;
    return CLI_CONTINUE;
}

const char *cli_default_isa(const char *isa)
{
    if (isa != NULL)
        return strcmp(isa, "all") == 0 ? NULL : isa;
    const char *variable = getenv("DOWNHILL_ISA");
    return variable != NULL && variable[0] != '\0' ? variable : NULL;
}
