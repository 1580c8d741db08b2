/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "base/error.h"
#include "base/real.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_left_out(const char *name, const char *const *left_out)
{
    for (; *left_out != NULL; left_out++)
        if (strcmp(name, *left_out) == 0)
            return true;
    return false;
}

static void add(json_t *words, const cli_option *o, const char *value)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", o->name);
    json_array_append_new(words, json_string(name));
    if (value != NULL)
        json_array_append_new(words, json_string(value));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void add_option(json_t *words, const cli_option *o, const void *config, const void *defaults)
{
    const char *here = (const char *)config + o->offset,
               *there = (const char *)defaults + o->offset;
    char text[64] = "";
    switch (o->kind) {
    case OPTION_FLAG:
        if (*(const bool *)here && !*(const bool *)there)
            add(words, o, NULL);
        return;
    case OPTION_TEXT: {
        const char *value = *(const char *const *)here;
        if (value != NULL && !same_text(value, *(const char *const *)there))
            add(words, o, value);
        return;
    }
    case OPTION_SIZE:
        if (*(const size_t *)here != *(const size_t *)there)
            snprintf(text, sizeof text, "%zu", *(const size_t *)here);
        break;
    case OPTION_COUNT:
        if (*(const size_t *)here != *(const size_t *)there)
            snprintf(text, sizeof text, *(const size_t *)here == SIZE_MAX ? "all" : "%zu",
                     *(const size_t *)here);
        break;
    case OPTION_SEED:
        if (*(const uint64_t *)here != *(const uint64_t *)there)
            snprintf(text, sizeof text, "%llu", *(const unsigned long long *)here);
        break;
    case OPTION_CASE:
        if (*(const long *)here != *(const long *)there)
            snprintf(text, sizeof text, "%ld", *(const long *)here);
        break;
    case OPTION_REAL:
        if (*(const float *)here != *(const float *)there)
            (void)real_f32(*(const float *)here, text);
        break;
    case OPTION_SECONDS: /* the last bits of a time do not matter */
        if (*(const double *)here != *(const double *)there)
            snprintf(text, sizeof text, "%.9g", *(const double *)here);
        break;
    case OPTION_DOUBLE:
    case OPTION_SHARE:
        if (*(const double *)here != *(const double *)there)
            (void)real_f64(*(const double *)here, text);
        break;
    case OPTION_CHOICE: {
        const int at = *(const int *)here;
        const char *word = o->choices;
        for (int i = o->first_choice; i < at; i++)
            word = strchr(word, '|') + 1;
        if (at != *(const int *)there)
            snprintf(text, sizeof text, "%.*s", (int)strcspn(word, "|"), word);
        break;
    }
    case OPTION_EACH: {
        const option_list *list = (const option_list *)here;
        for (size_t i = 0; i < list->count; i++)
            add(words, o, list->values[i]);
        return;
    }
    }
    if (text[0] != '\0')
        add(words, o, text);
}

json_t *arguments_to_json(const cli_command *command, const void *config, const void *defaults,
                          const char *const *left_out)
{
    json_t *words = json_array();
    const cli_option *o;
    for (size_t i = 0; (o = cli_option_at(command, i)) != NULL; i++)
        if (!is_left_out(o->name, left_out))
            add_option(words, o, config, defaults);
    return words;
}

int arguments_from_json(const cli_command *command, void *config, const json_t *words)
{
    const size_t n = json_array_size(words);
    char **argv = calloc(n + 2, sizeof *argv);
    if (argv == NULL) {
        error_line("%s: out of memory", command->name);
        return EXIT_INTERNAL;
    }
    int code = CLI_CONTINUE;
    argv[0] = (char *)(uintptr_t)command->name;
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (word == NULL)
            code = EXIT_DATA;
        argv[i + 1] = (char *)(uintptr_t)word;
    }
    int operand;
    if (code == EXIT_DATA)
        error_line("%s: the arguments in the results are not text; the file is damaged",
                   command->name);
    else
        code = cli_parse(command, config, (int)n + 1, argv, &operand);
    free(argv);
    return code;
}
