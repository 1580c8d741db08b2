/* SPDX-License-Identifier: MIT
 *
 * Reads files of the kernel in /proc and /sys, and those of this process's control group. `root` is
 * prepended to every path: "", or in the tests the directory of a fake tree. */
#ifndef DOWNHILL_BASE_SYSTEM_FILES_H
#define DOWNHILL_BASE_SYSTEM_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum { SYSFILE_PATH_MAX = 4096 };

/* Reads the text of a file without trailing white space, cut to `size`. If it cannot be read,
 * returns false and sets `text` to the reason: "PATH: No such file or directory". */
bool sysfile_text(const char *root, const char *path, char *text, size_t size);

/* Reads the number at the start of a file or, if `key` is not NULL, after `key` in the line that
 * begins with it. Returns false if there is none. */
bool sysfile_number(const char *root, const char *path, const char *key, double *value);

/* Reads the word in brackets, as in "always [madvise] never". If there is none, returns false and
 * sets `word` to the reason. */
bool sysfile_selected(const char *root, const char *path, char *word, size_t size);

/* A file of a control group. */
typedef struct cgroup_file {
    char path[SYSFILE_PATH_MAX];
    size_t mount; /* length of the mount point, a prefix of every path */
    int version;
} cgroup_file;

/* Finds a file of this process's control group for a controller. Its name is `v1` or `v2`, by the
 * version of the hierarchy. If the group lacks the file, as without the controller, finds that of
 * the nearest ancestor. In a container the path of the group may lie outside the mount; the root of
 * the mount is then the group. Returns false if there is no such file. */
bool cgroup_file_find(const char *root, const char *controller, const char *v1, const char *v2,
                      cgroup_file *group);

/* Moves to the same file of the nearest ancestor that has it. Limits and counters of an ancestor
 * apply to its descendants, whose files do not show them. Returns false if there is none. */
bool cgroup_file_outer(const char *root, cgroup_file *group);

#endif
