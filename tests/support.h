/* SPDX-License-Identifier: MIT
 *
 * What several tests need: a directory that goes away, and a look at what was printed. */
#ifndef DOWNHILL_TESTS_SUPPORT_H
#define DOWNHILL_TESTS_SUPPORT_H

#include <stddef.h>

/* cmocka group fixtures: make a temporary directory, and remove it with all that is in it. */
int scratch_open(void **state);
int scratch_close(void **state);

/* The path of a file there; kept until scratch_close(). */
const char *scratch_path(const char *name);

/* How many files there are. */
size_t scratch_count(void);

/* Writes a file, raw or as gzip. */
void write_raw(const char *path, const void *bytes, size_t count);
void write_gzip(const char *path, const void *bytes, size_t count);

/* The whole of a file as a string; free() it. Fails the test if it cannot be read. */
char *read_text(const char *path);

/* From capture_stderr() to captured(), stderr goes to a file; captured() returns its text, valid
 * until the next call. */
void capture_stderr(void);
const char *captured(void);

/* How often a character occurs: newlines count lines. */
size_t count_of(const char *text, char character);

#endif
