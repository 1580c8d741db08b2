/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "counters.h"

#include "base/output.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const counter_names[COUNTER_COUNT] = {
    [COUNTER_CYCLES] = "cycles",  [COUNTER_INSTRUCTIONS] = "instructions",
    [COUNTER_L1D] = "l1d_misses", [COUNTER_CACHE] = "cache_misses",
    [COUNTER_LLC] = "llc_misses",
};

/* Read misses of a cache, in the kernel's generic names. */
#define READ_MISSES(cache)                                                                         \
    ((cache) | PERF_COUNT_HW_CACHE_OP_READ << 8 | PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

static const struct {
    uint32_t type;
    uint64_t config;
} events[COUNTER_COUNT] = {
    [COUNTER_CYCLES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    [COUNTER_INSTRUCTIONS] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    [COUNTER_L1D] = {PERF_TYPE_HW_CACHE, READ_MISSES(PERF_COUNT_HW_CACHE_L1D)},
    [COUNTER_CACHE] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    [COUNTER_LLC] = {PERF_TYPE_HW_CACHE, READ_MISSES(PERF_COUNT_HW_CACHE_LL)},
};

static int open_event(enum counter id)
{
    struct perf_event_attr attributes = {
        .size = sizeof attributes,
        .type = events[id].type,
        .config = events[id].config,
        .disabled = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Returns why perf_event_open(2) failed. */
static const char *open_failure(int error)
{
    switch (error) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
        return "this CPU has no hardware counters, as under most hypervisors";
    case EACCES:
    case EPERM:
        return "the kernel does not permit it; as root: sysctl kernel.perf_event_paranoid=2, and "
               "in a container allow perf_event_open";
    case ENOSYS:
        return "this kernel has no perf events, or a system call filter blocks them";
    default:
        return strerror(error);
    }
}

void counters_open(counters *c)
{
    *c = (counters){0};
    int error = 0;
    size_t n_open = 0;
    for (enum counter i = 0; i < COUNTER_COUNT; i++) {
        c->descriptor[i] = open_event(i);
        n_open += c->descriptor[i] >= 0;
        if (c->descriptor[i] < 0 && error == 0)
            error = errno;
    }
    if (n_open == 0)
        snprintf(c->missing, sizeof c->missing, "%s", open_failure(error));
}

void counters_close(counters *c)
{
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        if (c->descriptor[i] >= 0)
            close(c->descriptor[i]);
}

static bool read_counter(const counters *c, enum counter i, struct counter_reading *reading)
{
    return read(c->descriptor[i], reading, sizeof *reading) == (ssize_t)sizeof *reading;
}

void counters_start(counters *c)
{
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        if (c->descriptor[i] >= 0 && read_counter(c, i, &c->start[i]))
            ioctl(c->descriptor[i], PERF_EVENT_IOC_ENABLE, 0);
}

counter_values counters_stop(const counters *c)
{
    counter_values values = {0};
    for (enum counter i = 0; i < COUNTER_COUNT; i++) {
        values.value[i] = NAN;
        if (c->descriptor[i] < 0)
            continue;
        ioctl(c->descriptor[i], PERF_EVENT_IOC_DISABLE, 0);
        struct counter_reading end;
        const struct counter_reading *start = &c->start[i];
        if (!read_counter(c, i, &end) || end.running_ns == start->running_ns)
            continue;
        values.value[i] =
            (double)(end.count - start->count) * ((double)(end.enabled_ns - start->enabled_ns) /
                                                  (double)(end.running_ns - start->running_ns));
        values.known = true;
    }
    return values;
}

json_t *counter_values_to_json(const counter_values *v)
{
    if (!v->known)
        return json_null();
    json_t *o = json_object();
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        output_set(o, counter_names[i], output_real(v->value[i]));
    return o;
}
