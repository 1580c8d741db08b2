/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "shell.h"

#include "cmocka_all.h"

#include "base/error.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

char *shell_out, *shell_err;

int shell(const char *command)
{
    char *line;
    assert_true(asprintf(&line, "{ %s\n} >\"%s\" 2>\"%s\" </dev/null", command,
                         scratch_path("cli-out"), scratch_path("cli-err")) > 0);
    const int status = system(line);
    free(line);
    free(shell_out);
    free(shell_err);
    shell_out = read_text(scratch_path("cli-out"));
    shell_err = read_text(scratch_path("cli-err"));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int shell_open(void **state)
{
    if (scratch_open(state) != 0)
        return -1;
    setenv("downhill", DOWNHILL_PROGRAM, 1);
    setenv("scratch", scratch_path("."), 1);
    unsetenv("DOWNHILL_ISA");
    unsetenv("DOWNHILL_DISABLE");
    return 0;
}

int shell_close(void **state)
{
    free(shell_out);
    free(shell_err);
    return scratch_close(state);
}

json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    return root;
}

double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is not a number", key);
    return json_number_value(value);
}

const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (value == NULL)
        fail_msg("%s is not a string", key);
    return value;
}

json_t *parsed_file(const char *name)
{
    char *text = read_text(scratch_path(name));
    json_t *root = parsed(text);
    free(text);
    return root;
}

void shell_into(const char *variable, const char *command)
{
    assert_int_equal(shell(command), EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    setenv(variable, shell_out, 1);
}

const char *after_warnings(const char *text)
{
    while (strncmp(text, "downhill: warning: ", 19) == 0)
        text = strchr(text, '\n') + 1;
    return text;
}
