/* SPDX-License-Identifier: MIT
 *
 * Result files appear whole or not at all. */
#ifndef DOWNHILL_BASE_OUTPUT_H
#define DOWNHILL_BASE_OUTPUT_H

#include "output_kind.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* Of results.json; raised when a reader of the old form would misread the new. */
enum { OUTPUT_SCHEMA_VERSION = 1 };

/* Writes the object, whose kind its members tell, to `path` ("-": stdout) by way of a file in the same directory that gets its name
 * when it is whole; to what is not a regular file, as /dev/null or a pipe, directly. Takes the
 * reference to `root`. Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL, and then nothing
 * is left behind. A program that is killed leaves the old file or the new one; the name FILE.XXXXXX
 * may stay only if that happens between the last two calls that put the new one in place of the old,
 * or where the file system knows no files without a name (O_TMPFILE), as NFS. A file of another kind that
 * appeared at `path` after output_check() is kept: the results then stay under FILE.XXXXXX, which the line names. */
int output_json(const char *path, json_t *root);

/* Writes the contents of a file; false: errno says why not. */
typedef bool output_writer(FILE *file, const void *context);

/* A file of any kind, in the same way. */
int output_file(const char *path, output_kind kind, output_writer *write, const void *context);

/* The same in steps, for several files that appear together: all are begun, written and settled before the first is
 * committed. */
typedef struct output_pending {
    FILE *file;       /* what is written to */
    const char *path; /* for messages: the caller's */
    char *target, *temporary;
    output_kind kind;
    bool named; /* has the temporary name */
} output_pending;

/* Has this process begun to put a file in its place, or to write to a device or pipe? For handlers of signals. */
extern volatile sig_atomic_t output_has_begun;

/* Only of what is a regular file or not there yet. The functions return EXIT_OK, or print a line and return EXIT_INTERNAL,
 * and then there is nothing left of this file. */
int output_begin(const char *path, output_kind kind, output_pending *p);

/* Everything is on the disk, without a name or under a temporary one. good == false: something could not be written, and errno says
 * why. */
int output_settle(output_pending *p, bool good);
int output_commit(output_pending *p);

/* Leaves nothing behind, at whatever step it is. */
void output_abandon(output_pending *p);

/* Is it "-", which stands for standard output? false for NULL. */
bool output_is_stdout(const char *path);

/* Can it be written again and again, each time in place of what was there? Not stdout, a pipe or a device. */
bool output_replaces(const char *path);

/* Do both lead to one file, which need not be there yet? false where one is NULL. */
bool output_is_same(const char *a, const char *b);

/* Before a long run: can a file of this kind be made at `path`, with nothing of another kind lost? A regular file
 * that is a standard stream of this process cannot be replaced, whatever its name. Prints a line and returns EXIT_USAGE if
 * not. */
int output_check(const char *path, output_kind kind);

/* Sets a member, taking the reference to `value`. A failed allocation is remembered, and the next
 * output_json() reports it. */
void output_set(json_t *object, const char *key, json_t *value);

/* A number, or null where it is not finite, which JSON cannot say. */
json_t *output_real(double value);

/* A number of f32 as it was given: 0.3, and not 0.300000012. */
json_t *output_f32(float value);

#endif
