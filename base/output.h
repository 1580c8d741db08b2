/* SPDX-License-Identifier: MIT
 *
 * Output files, which appear complete or not at all. */
#ifndef DOWNHILL_BASE_OUTPUT_H
#define DOWNHILL_BASE_OUTPUT_H

#include "output_kind.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* Schema version of results.json; incremented if an old reader would misread the new form. */
enum { OUTPUT_SCHEMA_VERSION = 1 };

/* Writes a JSON object to `path` ("-": stdout). Its members determine its kind (output_kind.h).
 * A regular file is written to a temporary file in the same directory and renamed when complete.
 * A device or pipe, such as /dev/null, is written to directly. Steals the reference to `root`.
 * Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL; no temporary file is then left.
 *
 * If the program is killed, either the old or the new file is at `path`. A temporary FILE.XXXXXX
 * may remain only if that happens between the last two system calls of the replacement, or on a
 * file system without O_TMPFILE, such as NFS. If a file of another kind appears at `path` after
 * output_check(), it is kept; the results stay in FILE.XXXXXX, and the line names it. */
int output_json(const char *path, json_t *root);

/* Writes the contents of a file. Returns false and sets errno on failure. */
typedef bool output_writer(FILE *file, const void *context);

/* Writes a file of any kind in the same way. */
int output_file(const char *path, output_kind kind, output_writer *write, const void *context);

/* A file that is written in steps, so that several files can appear together: begin, write and
 * settle all of them before committing the first. */
typedef struct output_pending {
    FILE *file;       /* to write to */
    const char *path; /* the caller's string, for messages */
    char *target, *temporary;
    output_kind kind;
    bool named; /* whether the file has its temporary name; otherwise it has no name yet */
} output_pending;

/* Not 0 once this process has begun to put a file in place, or to write to a device or pipe. For
 * signal handlers. */
extern volatile sig_atomic_t output_has_begun;

/* Opens a temporary file for `path`, which must be a regular file or not exist yet. Like the next
 * two functions, returns EXIT_OK, or prints a line, deletes the temporary file and returns
 * EXIT_INTERNAL. */
int output_begin(const char *path, output_kind kind, output_pending *p);

/* Flushes the contents to the disk. `good` is false if the caller failed to write something; errno
 * then holds the reason. */
int output_settle(output_pending *p, bool good);

/* Puts the file in place at its path. */
int output_commit(output_pending *p);

/* Deletes the temporary file and frees *p, after any step. */
void output_abandon(output_pending *p);

/* Returns whether the path is "-", which means standard output; false for NULL. */
bool output_is_stdout(const char *path);

/* Returns whether the file can be replaced repeatedly: false for stdout, a pipe or a device. */
bool output_replaces(const char *path);

/* Returns whether both paths lead to the same file, which need not exist yet; false if one is
 * NULL. */
bool output_is_same(const char *a, const char *b);

/* Checks, before a long run, whether a file of this kind can be written to `path` without replacing
 * a file of another kind. A regular file that is a standard stream of this process cannot be
 * replaced, by whatever name. If not, prints a line and returns EXIT_USAGE. */
int output_check(const char *path, output_kind kind);

/* Sets a member, stealing the reference to `value`. The next output_json() reports a failed
 * allocation. */
void output_set(json_t *object, const char *key, json_t *value);

/* Returns a JSON number, or null if the value is not finite, which JSON cannot express. */
json_t *output_real(double value);

/* Returns an f32 as its shortest decimal: 0.3, and not 0.300000012. */
json_t *output_f32(float value);

#endif
