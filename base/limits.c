/* SPDX-License-Identifier: MIT */
#include "limits.h"

#include "system_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256 };

/* Returns the limit in one file, or NaN if the file cannot be parsed. */
typedef double (*read_limit)(const char *root, const cgroup_file *group);

static bool minimum(const char *root, const char *controller, const char *v1, const char *v2,
                    read_limit read, double *limit, const char **why)
{
    cgroup_file group;
    /* The root group of version 2 has no such file, since nothing limits it. */
    *why = "reported by no control group";
    if (!cgroup_file_find(root, controller, v1, v2, &group))
        return false;
    *why = "the control group's files cannot be parsed";
    *limit = INFINITY;
    do {
        const double own = read(root, &group);
        if (isnan(own))
            return false;
        *limit = fmin(*limit, own);
    } while (cgroup_file_outer(root, &group));
    return true;
}

static double read_cpus(const char *root, const cgroup_file *group)
{
    const char *path = group->path;
    double quota = -1.0, period = 0.0;
    if (group->version == 1) {
        char other[SYSFILE_PATH_MAX];
        const int folder = (int)(strrchr(path, '/') - path);
        const int length = snprintf(other, sizeof other, "%.*s/cpu.cfs_period_us", folder, path);
        if (length >= (int)sizeof other || !sysfile_number(root, path, NULL, &quota) ||
            !sysfile_number(root, other, NULL, &period))
            return (double)NAN;
    } else {
        char text[TEXT], first[32];
        if (!sysfile_text(root, path, text, sizeof text) ||
            sscanf(text, "%31s %lf", first, &period) != 2)
            return (double)NAN;
        if (strcmp(first, "max") != 0)
            quota = strtod(first, NULL);
    }
    if (period <= 0.0)
        return (double)NAN;
    return quota > 0.0 ? quota / period : (double)INFINITY;
}

static double read_bytes(const char *root, const cgroup_file *group)
{
    char text[TEXT], *end;
    if (!sysfile_text(root, group->path, text, sizeof text))
        return (double)NAN;
    if (strcmp(text, "max") == 0)
        return (double)INFINITY;
    const double bytes = strtod(text, &end);
    if (end == text)
        return (double)NAN;
    /* Without a limit, version 1 writes the largest multiple of the page size. */
    return bytes > 0x1p62 ? (double)INFINITY : bytes;
}

bool limits_cpus(const char *root, double *cpus, const char **why)
{
    return minimum(root, "cpu", "cpu.cfs_quota_us", "cpu.max", read_cpus, cpus, why);
}

bool limits_memory(const char *root, double *bytes, const char **why)
{
    return minimum(root, "memory", "memory.limit_in_bytes", "memory.max", read_bytes, bytes, why);
}
