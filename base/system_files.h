/* SPDX-License-Identifier: MIT
 *
 * Reading what the kernel tells in /proc and /sys, and of this process's control group. `root` stands before
 * every path: "" in earnest, the directory of a made-up tree in the tests. */
#ifndef DOWNHILL_BASE_SYSTEM_FILES_H
#define DOWNHILL_BASE_SYSTEM_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum { SYSFILE_PATH_MAX = 4096 };

/* The text of a file, without white space at its end; cut off where it is longer. false: it cannot be read,
 * and `text` says why, as in "No such file or directory". */
bool sysfile_text(const char *root, const char *path, char *text, size_t size);

/* The number that a file, or the line of it that begins with `key`, holds. false: there is none. */
bool sysfile_number(const char *root, const char *path, const char *key, double *value);

/* The word in brackets of "always [madvise] never". false: no such word. */
bool sysfile_selected(const char *root, const char *path, char *word, size_t size);

/* A file of a control group. */
typedef struct cgroup_file {
    char path[SYSFILE_PATH_MAX];
    size_t mount; /* length of the mount point, which no path leaves */
    int version;
} cgroup_file;

/* Finds a file of this process's control group of a controller, by its version: `v1` or `v2` is the
 * name of the file. Where the group has none, as without the controller, it is that of the nearest
 * group around it. In a container the group's own path may lie outside of what is mounted; then
 * what is mounted is the group. false: there is no such file. */
bool cgroup_file_find(const char *root, const char *controller, const char *v1, const char *v2,
                      cgroup_file *group);

/* Goes on to the same file of the nearest group around it that has one. Limits and counters of
 * outer groups hold for the inner ones, whose files do not show them. false: there is none. */
bool cgroup_file_outer(const char *root, cgroup_file *group);

#endif
