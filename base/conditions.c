/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "conditions.h"

#include "output.h"
#include "system_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Returns the steal time in seconds: the eighth number in the line of a CPU in /proc/stat, which
 * has ticks of user, nice, system, idle, iowait, irq, softirq, steal. */
static double steal_of(const char *root, int cpu)
{
    enum { STEAL = 8 };
    char path[4096], line[1024], name[32];
    snprintf(path, sizeof path, "%s/proc/stat", root);
    snprintf(name, sizeof name, cpu < 0 ? "cpu " : "cpu%d ", cpu);
    FILE *file = fopen(path, "re");
    double ticks = NAN;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        char *at = line + strlen(name), *end = at;
        for (int i = 0; i < STEAL; i++, at = end) {
            ticks = strtod(at, &end);
            if (end == at) {
                ticks = NAN;
                break;
            }
        }
        break;
    }
    if (file != NULL)
        fclose(file);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static double number_or_nan(const char *root, const char *path, const char *key)
{
    double value;
    return sysfile_number(root, path, key, &value) ? value : NAN;
}

/* Adds two numbers, either of which may be unknown (NaN). */
static double plus(double sum, double value)
{
    return isnan(value) ? sum : isnan(sum) ? value : sum + value;
}

/* Adds up the cpu.stat of a group and its ancestors: the quota of an ancestor stops the process as
 * well, and only the file of that ancestor shows it. */
static void read_throttling(const char *root, cgroup_file *group, conditions *c)
{
    const char *key = group->version == 1 ? "throttled_time" : "throttled_usec";
    const double unit_s = group->version == 1 ? 1e-9 : 1e-6;
    do {
        const char *path = group->path;
        c->throttled_periods =
            plus(c->throttled_periods, number_or_nan(root, path, "nr_throttled"));
        c->throttled_s = plus(c->throttled_s, unit_s * number_or_nan(root, path, key));
    } while (cgroup_file_outer(root, group));
}

conditions conditions_now(const char *root, int cpu)
{
    conditions c = {.steal_s = steal_of(root, cpu), .throttled_periods = NAN, .throttled_s = NAN};
    struct rusage usage;
    c.involuntary_switches =
        getrusage(RUSAGE_THREAD, &usage) == 0 ? (double)usage.ru_nivcsw : (double)NAN;
    c.migrations = number_or_nan(root, "/proc/thread-self/sched", "se.nr_migrations");
    cgroup_file group;
    if (cgroup_file_find(root, "cpu", "cpu.stat", "cpu.stat", &group))
        read_throttling(root, &group, &c);
    return c;
}

/* Returns the increase of a counter, or NaN if it fell, as after a move to another group. */
static double rise(double before, double after)
{
    return after >= before ? after - before : (double)NAN;
}

conditions conditions_between(const conditions *before, const conditions *after)
{
    return (conditions){
        .steal_s = rise(before->steal_s, after->steal_s),
        .involuntary_switches = rise(before->involuntary_switches, after->involuntary_switches),
        .migrations = rise(before->migrations, after->migrations),
        .throttled_periods = rise(before->throttled_periods, after->throttled_periods),
        .throttled_s = rise(before->throttled_s, after->throttled_s),
    };
}

conditions conditions_unknown(void)
{
    return (conditions){.steal_s = NAN,
                        .involuntary_switches = NAN,
                        .migrations = NAN,
                        .throttled_periods = NAN,
                        .throttled_s = NAN};
}

conditions conditions_sum(const conditions *a, const conditions *b)
{
    return (conditions){
        .steal_s = plus(a->steal_s, b->steal_s),
        .involuntary_switches = plus(a->involuntary_switches, b->involuntary_switches),
        .migrations = plus(a->migrations, b->migrations),
        .throttled_periods = plus(a->throttled_periods, b->throttled_periods),
        .throttled_s = plus(a->throttled_s, b->throttled_s),
    };
}

static const struct {
    const char *key;
    size_t offset;
} members[] = {
    {"steal_s", offsetof(conditions, steal_s)},
    {"involuntary_switches", offsetof(conditions, involuntary_switches)},
    {"migrations", offsetof(conditions, migrations)},
    {"throttled_periods", offsetof(conditions, throttled_periods)},
    {"throttled_s", offsetof(conditions, throttled_s)},
};

void conditions_set(json_t *o, const conditions *c)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        output_set(o, members[i].key,
                   output_real(*(const double *)((const char *)c + members[i].offset)));
}

conditions conditions_of_json(const json_t *o)
{
    conditions c;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(o, members[i].key);
        *(double *)((char *)&c + members[i].offset) =
            json_is_number(value) ? json_number_value(value) : NAN;
    }
    return c;
}
