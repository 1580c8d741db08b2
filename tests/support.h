/* SPDX-License-Identifier: MIT
 *
 * Helpers of several tests: a temporary directory, files in it, and captured output. */
#ifndef DOWNHILL_TESTS_SUPPORT_H
#define DOWNHILL_TESTS_SUPPORT_H

#include <stddef.h>

/* cmocka group fixtures: create a temporary directory, and remove it with its contents. */
int scratch_open(void **state);
int scratch_close(void **state);

/* Returns the path of a file in that directory, valid until scratch_close(). */
const char *scratch_path(const char *name);

/* Returns the number of files in that directory. */
size_t scratch_count(void);

/* Write a file, raw or compressed by gzip. */
void write_raw(const char *path, const void *bytes, size_t count);
void write_gzip(const char *path, const void *bytes, size_t count);

/* Returns the contents of a file as a string, to be freed by free(). Fails the test if it cannot
 * be read. */
char *read_text(const char *path);

/* Between capture_stderr() and captured(), stderr goes to a file. captured() returns its text,
 * valid until the next call. */
void capture_stderr(void);
const char *captured(void);

/* Returns how often a character occurs. */
size_t count_of(const char *text, char character);

#endif
