/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "record.h"

#include "environment.h"
#include "limits.h"
#include "output.h"
#include "system_files.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined __x86_64__
#include <cpuid.h>
#endif

enum { TEXT = 512 };

struct record {
    json_t *list;
    const char *root, *group;
};

static void append(struct record *r, const char *key, const char *value, const char *reason,
                   bool stable)
{
    json_t *o = json_object();
    output_set(o, "group", json_string(r->group));
    output_set(o, "key", json_string(key));
    output_set(o, "value", value != NULL ? json_string(value) : json_null());
    output_set(o, "reason", json_string(value != NULL ? "" : reason));
    output_set(o, "stable", json_boolean(stable));
    json_array_append_new(r->list, o);
}

__attribute__((format(printf, 4, 5))) static void known(struct record *r, const char *key,
                                                        bool stable, const char *format, ...)
{
    char text[TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(r, key, text, "", stable);
}

/* Appends the text of a file; "none" if it is empty. */
static void file(struct record *r, const char *key, const char *path)
{
    char text[TEXT];
    if (sysfile_text(r->root, path, text, sizeof text))
        append(r, key, text[0] != '\0' ? text : "none", "", false);
    else
        append(r, key, NULL, text, false);
}

/* Appends one of two words for a file that holds a number: `zero` if it is 0. */
static void switch_of(struct record *r, const char *key, const char *path, const char *zero,
                      const char *other)
{
    double value;
    char why[TEXT];
    if (sysfile_number(r->root, path, NULL, &value))
        append(r, key, value == 0.0 ? zero : other, "", false);
    else {
        snprintf(why, sizeof why, "%s: missing, or not a number", path);
        append(r, key, NULL, why, false);
    }
}

/* Appends an item to a comma-separated list, which is cut if it is full. */
static void list(char text[TEXT], const char *one)
{
    const size_t used = strlen(text);
    snprintf(text + used, TEXT - used, "%s%s", used > 0 ? ", " : "", one);
}

/* ---- CPU ---- */

static void cpu_identity(struct record *r)
{
#if defined __x86_64__
    unsigned a, b, c, d, vendor[4] = {0};
    if (__get_cpuid(0, &a, &vendor[0], &vendor[2], &vendor[1]) && __get_cpuid(1, &a, &b, &c, &d)) {
        const unsigned base = a >> 8 & 15, extended = a >> 20 & 255;
        known(r, "vendor", true, "%s", (const char *)vendor);
        known(r, "family", true, "%u", base == 15 ? base + extended : base);
        known(r, "model", true, "%u",
              (a >> 4 & 15) | (base == 6 || base == 15 ? a >> 12 & 240 : 0));
        known(r, "stepping", true, "%u", a & 15);
        return;
    }
#endif
    append(r, "vendor", NULL, "no CPUID on this architecture", true);
}

static void microcode(struct record *r)
{
    char text[TEXT];
    const char *path = "/sys/devices/system/cpu/cpu0/microcode/version";
    if (sysfile_text(r->root, path, text, sizeof text)) {
        append(r, "microcode", text, "", false);
        return;
    }
    double value;
    if (sysfile_number(r->root, "/proc/cpuinfo", "microcode", &value))
        known(r, "microcode", false, "0x%llx", (unsigned long long)value);
    else
        append(r, "microcode", NULL, text, false);
}

static void cpu(struct record *r, const machine *m)
{
    char text[TEXT] = "";
    r->group = "CPU";
    append(r, "name", m->cpu_name, "", true);
    cpu_identity(r);
    microcode(r);
    append(r, "hypervisor", m->hypervisor[0] != '\0' ? m->hypervisor : "none seen", "", true);
    if (sysfile_text(r->root, "/sys/devices/system/cpu/present", text, sizeof text))
        append(r, "CPUs present", text, "", true);
    else
        append(r, "CPUs present", NULL, text, true);
    known(r, "cores allowed", false, "%u, with %u hardware threads", m->cores, m->pus);
    if (m->core_kinds > 0)
        known(r, "kinds of cores", false, "%u", m->core_kinds);
    else
        append(r, "kinds of cores", NULL, "unknown to hwloc", false);
    switch_of(r, "SMT", "/sys/devices/system/cpu/smt/active", "off", "on");
    text[0] = '\0';
    for (size_t i = 0; i < m->n_caches; i++) {
        const size_t used = strlen(text);
        const char t = m->caches[i].type[0];
        snprintf(text + used, sizeof text - used, "%sL%u%s %llu KiB", i > 0 ? ", " : "",
                 m->caches[i].level,
                 t == 'd'   ? "d"
                 : t == 'i' ? "i"
                            : "",
                 (unsigned long long)m->caches[i].bytes >> 10);
    }
    append(r, "caches", text[0] != '\0' ? text : NULL, "hwloc reports none", true);
    file(r, "isolated CPUs", "/sys/devices/system/cpu/isolated");
    file(r, "CPUs without ticks", "/sys/devices/system/cpu/nohz_full");
}

/* ---- clock ---- */

/* Appends the governor of all allowed CPUs, or the numbers of CPUs if they differ. */
static void governor(struct record *r, const machine *m)
{
    char first[64] = "", text[64];
    unsigned same = 0, others = 0;
    for (size_t i = 0; i < m->n_team; i++) {
        char path[128];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor",
                 m->team[i]);
        if (!sysfile_text(r->root, path, text, sizeof text))
            continue;
        if (first[0] == '\0')
            snprintf(first, sizeof first, "%s", text);
        if (strcmp(first, text) == 0)
            same++;
        else
            others++;
    }
    if (same == 0)
        append(r, "governor", NULL, "no cpufreq: the hypervisor or the kernel hides the clock",
               false);
    else if (others == 0)
        append(r, "governor", first, "", false);
    else
        known(r, "governor", false, "%s on %u CPU%s, another on %u", first, same,
              same == 1 ? "" : "s", others);
}

static void turbo(struct record *r)
{
    double value;
    if (sysfile_number(r->root, "/sys/devices/system/cpu/intel_pstate/no_turbo", NULL, &value))
        append(r, "turbo", value == 0.0 ? "on" : "off", "", false);
    else if (sysfile_number(r->root, "/sys/devices/system/cpu/cpufreq/boost", NULL, &value))
        append(r, "turbo", value == 0.0 ? "off" : "on", "", false);
    else
        append(r, "turbo", NULL, "reported by neither intel_pstate nor cpufreq", false);
}

static void frequency(struct record *r, const machine *m)
{
    double khz;
    r->group = "Clock";
    if (sysfile_number(r->root, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", NULL,
                       &khz))
        known(r, "highest", false, "%.0f MHz", khz * 1e-3);
    else
        append(r, "highest", NULL, "no cpufreq: the hypervisor or the kernel hides the clock",
               false);
    file(r, "driver", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver");
    governor(r, m);
    turbo(r);
    file(r, "clock source", "/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

/* ---- memory and system ---- */

static void memory(struct record *r, const machine *m)
{
    char text[TEXT];
    double total_kib, free_kib;
    r->group = "Memory";
    known(r, "total", true, "%.0f GiB", ceil((double)m->memory_bytes / 0x1p30));
    if (sysfile_number(r->root, "/proc/meminfo", "MemAvailable", &free_kib))
        known(r, "available", false, "%.1f GiB", free_kib / 0x1p20);
    else
        append(r, "available", NULL, "not in /proc/meminfo", false);
    if (sysfile_number(r->root, "/proc/meminfo", "SwapTotal", &total_kib) &&
        sysfile_number(r->root, "/proc/meminfo", "SwapFree", &free_kib))
        known(r, "swap used", false, "%.1f of %.1f GiB", (total_kib - free_kib) / 0x1p20,
              total_kib / 0x1p20);
    else
        append(r, "swap used", NULL, "not in /proc/meminfo", false);
    const bool thp =
        sysfile_selected(r->root, "/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text);
    append(r, "transparent huge pages", thp ? text : NULL, text, false);
    file(r, "huge pages reserved", "/proc/sys/vm/nr_hugepages");
    known(r, "NUMA nodes", false, "%u", m->numa_nodes);
    switch_of(r, "NUMA balancing", "/proc/sys/kernel/numa_balancing", "off", "on");
}

/* Lists CPU vulnerabilities: those that the kernel mitigates, which costs time, and open ones. */
static void mitigations(struct record *r)
{
    static const char *const names[] = {"gather_data_sampling",
                                        "itlb_multihit",
                                        "l1tf",
                                        "mds",
                                        "meltdown",
                                        "mmio_stale_data",
                                        "retbleed",
                                        "spec_rstack_overflow",
                                        "spec_store_bypass",
                                        "spectre_v1",
                                        "spectre_v2",
                                        "srbds",
                                        "tsx_async_abort"};
    char text[TEXT] = "", state[TEXT];
    unsigned told = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/vulnerabilities/%s", names[i]);
        if (!sysfile_text(r->root, path, state, sizeof state))
            continue;
        told++;
        const char *word = strncmp(state, "Mitigation", 10) == 0   ? "mitigated"
                           : strncmp(state, "Vulnerable", 10) == 0 ? "open"
                                                                   : NULL;
        const size_t used = strlen(text);
        if (word != NULL)
            snprintf(text + used, sizeof text - used, "%s%s %s", used > 0 ? ", " : "", names[i],
                     word);
    }
    append(r, "mitigations",
           told == 0         ? NULL
           : text[0] != '\0' ? text
                             : "none needed",
           "/sys/devices/system/cpu/vulnerabilities: missing", false);
}

static void temperature(struct record *r)
{
    double highest = -INFINITY;
    for (int i = 0; i < 64; i++) {
        char path[128];
        double milli;
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", i);
        if (!sysfile_number(r->root, path, NULL, &milli))
            break;
        highest = fmax(highest, milli * 1e-3);
    }
    if (isfinite(highest))
        known(r, "temperature", false, "%.0f degrees Celsius", highest);
    else
        append(r, "temperature", NULL, "no thermal zone, as under most hypervisors", false);
}

/* Records the OpenMP variables that remain set, such as OMP_WAIT_POLICY: they affect timings with
 * several threads. */
static void openmp(struct record *r)
{
    char removed[TEXT] = "", kept[TEXT] = "";
    for (size_t i = 0; environment_removed(i) != NULL; i++)
        list(removed, environment_removed(i));
    for (char **v = environ; v != NULL && *v != NULL; v++)
        if (strncmp(*v, "OMP_", 4) == 0 || strncmp(*v, "GOMP_", 5) == 0 ||
            strncmp(*v, "KMP_", 4) == 0)
            list(kept, *v);
    append(r, "OpenMP variables", kept[0] != '\0' ? kept : "none", "", false);
    append(r, "variables ignored", removed[0] != '\0' ? removed : "none", "", false);
}

static void kernel_and_system(struct record *r, const machine *m)
{
    r->group = "System";
    append(r, "kernel", m->kernel, "", false);
    known(r, "C library", false, "glibc %s", gnu_get_libc_version());
    switch_of(r, "address randomisation", "/proc/sys/kernel/randomize_va_space", "off", "on");
    openmp(r);
    mitigations(r);
    temperature(r);
    file(r, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid");
}

/* ---- container ---- */

static void limits(struct record *r)
{
    double limit;
    const char *why;
    if (!limits_cpus(r->root, &limit, &why))
        append(r, "CPU quota", NULL, why, false);
    else if (isinf(limit))
        append(r, "CPU quota", "none", "", false);
    else
        known(r, "CPU quota", false, "%.2f CPUs", limit);
    if (!limits_memory(r->root, &limit, &why))
        append(r, "memory limit", NULL, why, false);
    else if (isinf(limit))
        append(r, "memory limit", "none", "", false);
    else
        known(r, "memory limit", false, "%.2f GiB", limit / 0x1p30);
}

static void container(struct record *r, const machine *m)
{
    char text[TEXT];
    r->group = "Container";
    append(r, "allowed CPUs", m->allowed_cpus, "", false);
    limits(r);
    const bool docker = sysfile_text(r->root, "/.dockerenv", text, sizeof text),
               podman = sysfile_text(r->root, "/run/.containerenv", text, sizeof text);
    append(r, "container", docker ? "Docker" : podman ? "Podman" : "none seen", "", false);
}

json_t *record_to_json(const machine *m, const char *root)
{
    struct record r = {json_array(), root, ""};
    cpu(&r, m);
    frequency(&r, m);
    memory(&r, m);
    kernel_and_system(&r, m);
    container(&r, m);
    return r.list;
}

void record_id(const json_t *record, char id[RECORD_ID_SIZE])
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a, 64 bits (Fowler, Noll and Vo) */
    const json_t *o;
    size_t i;
    json_array_foreach(record, i, o)
    {
        const char *words[] = {json_string_value(json_object_get(o, "key")),
                               json_string_value(json_object_get(o, "value"))};
        if (!json_is_true(json_object_get(o, "stable")))
            continue;
        for (int w = 0; w < 2; w++) {
            const char *text = words[w] != NULL ? words[w] : "";
            do
                hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
            while (*text++ != '\0'); /* includes the terminator, which separates the words */
        }
    }
    snprintf(id, RECORD_ID_SIZE, "m-%012llx", (unsigned long long)(hash >> 16));
}

const char *record_value(const json_t *record, const char *key)
{
    const json_t *o;
    size_t i;
    json_array_foreach(record, i, o)
    {
        const char *name = json_string_value(json_object_get(o, "key"));
        if (name != NULL && strcmp(name, key) == 0)
            return json_string_value(json_object_get(o, "value"));
    }
    return NULL;
}
