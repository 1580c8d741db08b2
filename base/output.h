/* SPDX-License-Identifier: MIT
 *
 * Result files appear whole or not at all. */
#ifndef DOWNHILL_BASE_OUTPUT_H
#define DOWNHILL_BASE_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Of results.json; raised when a reader of the old form would misread the new. */
enum { OUTPUT_SCHEMA_VERSION = 1 };

/* Writes the object to `path` ("-": stdout) by way of a temporary name in the same directory and a
 * rename; to what is not a regular file, as /dev/null or a pipe, directly. Takes the reference to
 * `root`. Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL, and then nothing is left
 * behind. */
int output_json(const char *path, json_t *root);

/* Writes the contents of a file; false: errno says why not. */
typedef bool output_writer(FILE *file, const void *context);

/* A file of any kind, in the same way. */
int output_file(const char *path, output_writer *write, const void *context);

/* Can it be written again and again, each time in place of what was there? Not stdout, a pipe or a device. */
bool output_replaces(const char *path);

/* Before a long run: can a file be made at `path`? Prints a line and returns EXIT_USAGE if not. */
int output_check(const char *path);

/* Sets a member, taking the reference to `value`. A failed allocation is remembered, and the next
 * output_json() reports it. */
void output_set(json_t *object, const char *key, json_t *value);

/* A number, or null where it is not finite, which JSON cannot say. */
json_t *output_real(double value);

#endif
