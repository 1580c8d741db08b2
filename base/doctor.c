/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "doctor.h"

#include "record.h"
#include "system_files.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const doctor_words[] = {[DOCTOR_OK] = "ok",
                                    [DOCTOR_NOTE] = "note",
                                    [DOCTOR_WARN] = "warn",
                                    [DOCTOR_UNKNOWN] = "unknown"};

struct diagnosis {
    doctor *found;
    const json_t *record;
    const char *root;
};

/* Appends a finding; without effect and remedy if the verdict is ok. */
__attribute__((format(printf, 6, 7))) static void add(struct diagnosis *r, doctor_verdict verdict,
                                                      const char *topic, const char *effect,
                                                      const char *remedy, const char *format, ...)
{
    if (r->found->count == DOCTOR_MAX)
        return;
    doctor_finding *f = &r->found->findings[r->found->count++];
    const bool fine = verdict == DOCTOR_OK;
    f->verdict = verdict;
    snprintf(f->topic, sizeof f->topic, "%s", topic);
    snprintf(f->effect, sizeof f->effect, "%s", fine ? "" : effect);
    snprintf(f->remedy, sizeof f->remedy, "%s", fine ? "" : remedy);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->what, sizeof f->what, format, arguments);
    va_end(arguments);
}

static const char *reason_of(const struct diagnosis *r, const char *key)
{
    const json_t *o;
    size_t i;
    json_array_foreach(r->record, i, o)
    {
        if (strcmp(json_string_value(json_object_get(o, "key")), key) == 0)
            return json_string_value(json_object_get(o, "reason"));
    }
    return "not checked";
}

/* Checks a setting of the record, whose value should begin with `good`. */
static void setting(struct diagnosis *r, const char *key, const char *good,
                    doctor_verdict otherwise, const char *effect, const char *remedy)
{
    const char *value = record_value(r->record, key);
    if (value == NULL)
        add(r, DOCTOR_UNKNOWN, key, effect, "", "%s", reason_of(r, key));
    else
        add(r, strncmp(value, good, strlen(good)) == 0 ? DOCTOR_OK : otherwise, key, effect, remedy,
            "%s", value);
}

static void settings(struct diagnosis *r)
{
    setting(r, "governor", "performance", DOCTOR_WARN,
            "the clock follows the load, so short runs are timed while it rises",
            "cpupower frequency-set -g performance");
    setting(r, "turbo", "off", DOCTOR_NOTE,
            "the clock depends on the temperature and on the number of busy cores",
            "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > "
            "/sys/devices/system/cpu/cpufreq/boost");
    setting(r, "SMT", "off", DOCTOR_NOTE,
            "another thread on the same core uses half of its units and caches",
            "echo off > /sys/devices/system/cpu/smt/control, or keep the sibling idle");
    const char *thp = record_value(r->record, "transparent huge pages");
    if (thp == NULL)
        add(r, DOCTOR_UNKNOWN, "transparent huge pages", "", "", "%s",
            reason_of(r, "transparent huge pages"));
    else
        add(r, strcmp(thp, "never") == 0 ? DOCTOR_WARN : DOCTOR_OK, "transparent huge pages",
            "the data is in 4 KiB pages, which causes TLB misses",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled", "%s", thp);
    setting(r, "NUMA balancing", "off", DOCTOR_NOTE, "pages move to other nodes during a run",
            "sysctl kernel.numa_balancing=0");
    setting(r, "address randomisation", "off", DOCTOR_NOTE,
            "buffers have other addresses in each run, which changes cache conflicts",
            "setarch -R downhill bench ..., or run several times");
    setting(r, "clock source", "tsc", DOCTOR_NOTE,
            "reading the time is slow and may involve the hypervisor",
            "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource");
    setting(r, "hypervisor", "none seen", DOCTOR_NOTE,
            "other guests share caches, memory and perhaps cores",
            "compare ratios within one run; for absolute figures use bare metal");
}

static void container(struct diagnosis *r, const machine *m)
{
    const char *quota = record_value(r->record, "CPU quota");
    if (quota == NULL)
        add(r, DOCTOR_OK, "CPU quota", "", "", "none found: %s", reason_of(r, "CPU quota"));
    else
        add(r, strcmp(quota, "none") == 0 ? DOCTOR_OK : DOCTOR_WARN, "CPU quota",
            "the process is stopped when its share of a period is used up",
            "start the container without --cpus, and bind it with --cpuset-cpus", "%s", quota);
    add(r, m->pus < 2 ? DOCTOR_WARN : DOCTOR_OK, "allowed CPUs",
        "other programs interrupt the measurements, which use the only CPU",
        "allow a second CPU for the other programs", "%s", m->allowed_cpus);
    const char *isolated = record_value(r->record, "isolated CPUs");
    if (isolated == NULL)
        add(r, DOCTOR_UNKNOWN, "isolated CPUs", "", "", "%s", reason_of(r, "isolated CPUs"));
    else
        add(r, strcmp(isolated, "none") == 0 ? DOCTOR_NOTE : DOCTOR_OK, "isolated CPUs",
            "the scheduler may run other programs on the measured CPU",
            "boot with isolcpus=N nohz_full=N, then run taskset -c N downhill bench", "%s",
            isolated);
}

static void memory(struct diagnosis *r)
{
    double total_kib, free_kib;
    if (!sysfile_number(r->root, "/proc/meminfo", "MemAvailable", &free_kib))
        add(r, DOCTOR_UNKNOWN, "available memory", "", "", "not in /proc/meminfo");
    else /* the standard suite takes about a third of it */
        add(r, free_kib < 3.0 * 0x1p20 ? DOCTOR_WARN : DOCTOR_OK, "available memory",
            "pages may be swapped, or the run may be killed",
            "stop programs that use much memory, or use --quick", "%.1f GiB", free_kib / 0x1p20);
    if (!sysfile_number(r->root, "/proc/meminfo", "SwapTotal", &total_kib) ||
        !sysfile_number(r->root, "/proc/meminfo", "SwapFree", &free_kib))
        add(r, DOCTOR_UNKNOWN, "swap", "", "", "not in /proc/meminfo");
    else
        add(r, total_kib - free_kib > 0x1p16 ? DOCTOR_NOTE : DOCTOR_OK, "swap",
            "memory was short and may be again", "swapoff -a && swapon -a", "%.0f MiB used",
            (total_kib - free_kib) / 0x1p10);
}

/* Checks time that was lost during the sample; more than the share `max` of it is too much. */
static void lost(struct diagnosis *r, const char *topic, double lost_s, double seconds, double max,
                 const char *effect, const char *remedy)
{
    if (isnan(lost_s))
        add(r, DOCTOR_UNKNOWN, topic, effect, "", "not reported by the kernel");
    else
        add(r, lost_s > max * seconds ? DOCTOR_WARN : DOCTOR_OK, topic, effect, remedy,
            "%.1f %% of the time in a sample of %.1f s", 100.0 * lost_s / seconds, seconds);
}

static void sample(struct diagnosis *r, const machine *m, const doctor_sample *s)
{
    lost(r, "steal", s->passed.steal_s, s->seconds, 0.01,
         "the hypervisor runs other guests on the measured CPU",
         "measure when they are idle, or rent whole cores");
    lost(r, "throttling", s->passed.throttled_s, s->seconds, 0.0,
         "the quota of the control group stops the process",
         "raise the quota, or use fewer --threads");
    /* Throttling counts as an involuntary switch as well, and has its own finding above. */
    const double stops = isnan(s->passed.throttled_periods) ? 0.0 : s->passed.throttled_periods;
    const double rate = (s->passed.involuntary_switches - stops) / s->seconds;
    if (isnan(rate))
        add(r, DOCTOR_UNKNOWN, "switches", "", "", "not reported by the kernel");
    else
        add(r, rate > 50.0 ? DOCTOR_WARN : DOCTOR_OK, "switches",
            "other programs run on the measured CPU", "stop them; `top` shows which",
            "%.0f switches to other threads per second", fmax(rate, 0.0));
    add(r, s->shared > 0.01 ? DOCTOR_WARN : DOCTOR_OK, "whole core",
        "samples taken while another thread uses the core are discarded, so rows take longer",
        m->hypervisor[0] != '\0'
            ? "measure at a quieter time, or use a host that gives whole cores"
            : "echo off > /sys/devices/system/cpu/smt/control, or keep the sibling idle",
        "another hardware thread of the core was busy in %.0f %% of the checks", 100.0 * s->shared);
    const double range = s->clock_high_ghz / s->clock_low_ghz - 1.0;
    add(r, range > 0.02 ? DOCTOR_WARN : DOCTOR_OK, "clock", "rows are timed at different speeds",
        "fix the frequency, improve the cooling, or compare ratios only",
        "%.2f to %.2f GHz, %.1f %% apart", s->clock_low_ghz, s->clock_high_ghz, 100.0 * range);
    if (isnan(s->load))
        add(r, DOCTOR_UNKNOWN, "load", "", "", "not reported by the kernel");
    else
        add(r, s->load > 0.5 * m->pus ? DOCTOR_WARN : DOCTOR_OK, "load",
            "other programs share caches, memory and cores", "stop them; `top` shows which",
            "%.2f on %u CPU%s over the last minute", s->load, m->pus, m->pus == 1 ? "" : "s");
    const bool counted = s->counters_missing[0] == '\0';
    add(r, counted ? DOCTOR_OK : DOCTOR_NOTE, "hardware counters",
        "cycles and cache misses of a row cannot be measured",
        "sysctl kernel.perf_event_paranoid=1, on a machine that has them", "%s",
        counted ? "available" : s->counters_missing);
}

doctor doctor_look(const machine *m, const char *root, const doctor_sample *s)
{
    doctor found = {0};
    json_t *record = record_to_json(m, root);
    struct diagnosis r = {&found, record, root};
    char how[96];
    const bool slow = machine_build_is_slow(how, sizeof how);
    add(&r, slow ? DOCTOR_WARN : DOCTOR_OK, "build", "the times mean nothing",
        "cmake -DCMAKE_BUILD_TYPE=Release", "%s", slow ? how : "optimised");
    settings(&r);
    container(&r, m);
    memory(&r);
    sample(&r, m, s);
    json_decref(record);
    return found;
}
