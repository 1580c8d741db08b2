/* SPDX-License-Identifier: MIT
 *
 * The program as a user meets it, for its tests: $downhill is the program, $scratch an empty directory. */
#ifndef DOWNHILL_TESTS_SHELL_H
#define DOWNHILL_TESTS_SHELL_H

#include <jansson.h>

/* cmocka group fixtures. */
int shell_open(void **state);
int shell_close(void **state);

/* Runs a command line and returns its exit code; what it printed is in shell_out and shell_err. */
int shell(const char *command);
extern char *shell_out, *shell_err;

/* Runs a command and puts what it prints, without the end of the line, into an environment variable: what `data gen` says
 * that --data is. */
void shell_into(const char *variable, const char *command);

/* Returns what comes after the warnings, which a busy machine or a sanitized build may add. */
const char *after_warnings(const char *text);

/* Parts of JSON; what is not there or of another type fails the test. */
json_t *parsed(const char *text);
json_t *parsed_file(const char *name); /* in the scratch directory */
double number(const json_t *object, const char *key);
const char *string(const json_t *object, const char *key);

#endif
