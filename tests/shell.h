/* SPDX-License-Identifier: MIT
 *
 * Runs command lines for the tests of the program. $downhill is the program, $scratch an empty
 * directory. */
#ifndef DOWNHILL_TESTS_SHELL_H
#define DOWNHILL_TESTS_SHELL_H

#include <jansson.h>

/* cmocka group fixtures. */
int shell_open(void **state);
int shell_close(void **state);

/* Runs a command line and returns its exit code. Its output is in shell_out and shell_err. */
int shell(const char *command);
extern char *shell_out, *shell_err;

/* Runs a command and stores the first line of its output in an environment variable, such as the
 * value for --data that `data gen` prints. */
void shell_into(const char *variable, const char *command);

/* Skips the warnings at the start, which a busy machine or a sanitized build may print. */
const char *after_warnings(const char *text);

/* Parse JSON or return a value from it. A missing value or one of another type fails the test. */
json_t *parsed(const char *text);
json_t *parsed_file(const char *name); /* in the scratch directory */
double number(const json_t *object, const char *key);
const char *string(const json_t *object, const char *key);

#endif
