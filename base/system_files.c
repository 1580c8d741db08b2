/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "system_files.h"

#include "word_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = SYSFILE_PATH_MAX };

static FILE *open_file(const char *root, const char *path)
{
    char full[LINE];
    if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return fopen(full, "re");
}

bool sysfile_text(const char *root, const char *path, char *text, size_t size)
{
    FILE *file = open_file(root, path);
    if (file == NULL) {
        snprintf(text, size, "%s: %s", path, strerror(errno));
        return false;
    }
    const size_t length = fread(text, 1, size - 1, file);
    const bool good = ferror(file) == 0;
    const int error = errno;
    fclose(file);
    text[length] = '\0';
    /* A NUL byte means that this is not text. */
    if (good && strlen(text) == length) {
        for (size_t end = length; end > 0 && strchr(" \t\n", text[end - 1]) != NULL; end--)
            text[end - 1] = '\0';
        return true;
    }
    snprintf(text, size, "%s: %s", path, good ? "not text" : strerror(error));
    return false;
}

bool sysfile_number(const char *root, const char *path, const char *key, double *value)
{
    FILE *file = open_file(root, path);
    char line[LINE];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        const char *text = line;
        if (key != NULL) {
            const size_t length = strlen(key);
            /* The key must be a complete word: "cpu1" must not match "cpu10". */
            if (strncmp(line, key, length) != 0 || strchr(" \t:", line[length]) == NULL ||
                line[length] == '\0')
                continue;
            text += length + strspn(line + length, " \t:");
        }
        char *end;
        *value = strtod(text, &end);
        found = end != text;
        if (key == NULL)
            break;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

bool sysfile_selected(const char *root, const char *path, char *word, size_t size)
{
    char text[256];
    if (!sysfile_text(root, path, text, sizeof text)) {
        snprintf(word, size, "%s", text);
        return false;
    }
    const char *open = strchr(text, '['), *close = open != NULL ? strchr(open, ']') : NULL;
    if (close == NULL) {
        snprintf(word, size, "%s: no word in brackets", path);
        return false;
    }
    snprintf(word, size, "%.*s", (int)(close - open - 1), open + 1);
    return true;
}

/* Reads the path of this process's group in the hierarchy of a controller (version 1), or in the
 * unified hierarchy if `controller` is "" (version 2). */
static bool group_of(const char *root, const char *controller, char *group, size_t size)
{
    FILE *file = open_file(root, "/proc/self/cgroup");
    char line[LINE];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        found = controller[0] == '\0' ? list[1] == '\0' : word_list_has(list + 1, ',', controller);
        if (found)
            snprintf(group, size, "%s", path);
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* Finds the mount point of that hierarchy, and the group that is the root of the mount. A line of
 * mountinfo is "... ... ... TOP POINT OPTIONS ... - TYPE SOURCE OPTIONS". */
static bool mount_of(const char *root, const char *controller, char top[LINE / 2],
                     char point[LINE / 2])
{
    FILE *file = open_file(root, "/proc/self/mountinfo");
    char line[LINE];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char type[64], options[LINE];
        const char *dash = strstr(line, " - ");
        found = dash != NULL && sscanf(line, "%*s %*s %*s %2047s %2047s", top, point) == 2 &&
                sscanf(dash, " - %63s %*s %4095s", type, options) == 2 &&
                (controller[0] == '\0'
                     ? strcmp(type, "cgroup2") == 0
                     : strcmp(type, "cgroup") == 0 && word_list_has(options, ',', controller));
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* Returns the path of a group relative to the mount point; "" for the root of the mount, since with
 * "/" it would be its own ancestor. */
static const char *relative_to(const char *top, const char *group)
{
    const size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(group, top, length) == 0 && (group[length] == '/' || group[length] == '\0'))
        group += length;
    return strcmp(group, "/") == 0 ? "" : group;
}

static bool is_there(const char *root, const char *path)
{
    FILE *file = open_file(root, path);
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

bool cgroup_file_outer(const char *root, cgroup_file *group)
{
    for (;;) {
        char *name = strrchr(group->path, '/'), *folder = name;
        do
            folder--;
        while (folder >= group->path + group->mount && *folder != '/');
        if (folder < group->path + group->mount)
            return false;
        memmove(folder, name, strlen(name) + 1);
        if (is_there(root, group->path))
            return true;
    }
}

bool cgroup_file_find(const char *root, const char *controller, const char *v1, const char *v2,
                      cgroup_file *group)
{
    for (group->version = 1; group->version <= 2; group->version++) {
        const bool first = group->version == 1;
        const char *hierarchy = first ? controller : "";
        char own[LINE / 2], top[LINE / 2], point[LINE / 2];
        if (!group_of(root, hierarchy, own, sizeof own) || !mount_of(root, hierarchy, top, point))
            continue;
        const int length = snprintf(group->path, sizeof group->path, "%s%s/%s", point,
                                    relative_to(top, own), first ? v1 : v2);
        group->mount = strlen(point);
        if (length > 0 && (size_t)length < sizeof group->path &&
            (is_there(root, group->path) || cgroup_file_outer(root, group)))
            return true;
    }
    return false;
}
