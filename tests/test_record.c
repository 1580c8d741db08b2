/* SPDX-License-Identifier: MIT
 *
 * The record of the machine, read from simulated trees of /proc and /sys. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/conditions.h"
#include "base/doctor.h"
#include "base/record.h"
#include "base/system_files.h"
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a simulated tree ---- */

static char root[512];

static void put(const char *path, const char *text)
{
    char *command;
    assert_true(asprintf(&command, "mkdir -p \"$(dirname '%s%s')\"", root, path) > 0);
    assert_int_equal(system(command), 0);
    free(command);
    char full_path[1024];
    snprintf(full_path, sizeof full_path, "%s%s", root, path);
    write_raw(full_path, text, strlen(text));
}

static int new_tree(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s", scratch_path("tree"));
    char *command;
    assert_true(asprintf(&command, "rm -rf '%s' && mkdir '%s'", root, root) > 0);
    const int code = system(command);
    free(command);
    return code;
}

static int remove_tree(void **state)
{
    char *command;
    if (asprintf(&command, "rm -rf '%s'", root) < 0 || system(command) != 0)
        return -1;
    free(command);
    return scratch_close(state);
}

static const machine plain = {.cpu_name = "Test CPU",
                              .kernel = "Linux 1",
                              .allowed_cpus = "0-3",
                              .cores = 4,
                              .pus = 4,
                              .n_team = 4,
                              .team = {0, 1, 2, 3},
                              .numa_nodes = 1,
                              .memory_bytes = UINT64_C(16) << 30};

/* Returns the value of a record entry for the current tree, or "unknown: " and the reason. */
static const char *value_of(const char *key)
{
    static char text[600];
    json_t *record = record_to_json(&plain, root);
    const char *value = record_value(record, key);
    size_t i;
    json_t *o;
    snprintf(text, sizeof text, "%s", value != NULL ? value : "no such entry");
    json_array_foreach(record, i,
                       o) if (strcmp(json_string_value(json_object_get(o, "key")), key) == 0 &&
                              value == NULL)
        snprintf(text, sizeof text, "unknown: %s", json_string_value(json_object_get(o, "reason")));
    json_decref(record);
    return text;
}

/* ---- the record ---- */

static void test_record__empty_tree__every_value_has_a_reason(void **state)
{
    (void)state;
    json_t *record = record_to_json(&plain, root), *o;
    size_t i, unknown = 0;
    json_array_foreach(record, i, o)
    {
        const bool null = json_is_null(json_object_get(o, "value"));
        assert_int_equal(null, json_string_length(json_object_get(o, "reason")) > 0);
        unknown += null;
    }
    assert_true(unknown > 15);
    json_decref(record);
    assert_string_equal(value_of("governor"),
                        "unknown: no cpufreq: the hypervisor or the kernel hides the clock");
    assert_string_equal(value_of("CPU quota"), "unknown: reported by no control group");
}

static void test_record__settings__reported(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *key, *value;
    } cases[] = {
        {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n", "governor",
         "powersave"},
        {"/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance\n", "governor",
         "powersave on 1 CPU, another on 1"},
        {"/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "turbo", "off"},
        {"/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n", "turbo", "on"},
        {"/sys/devices/system/cpu/smt/active", "1\n", "SMT", "on"},
        {"/sys/devices/system/cpu/isolated", "\n", "isolated CPUs", "none"},
        {"/sys/devices/system/cpu/isolated", "2-3\n", "isolated CPUs", "2-3"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n",
         "transparent huge pages", "never"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "garbage\n", "transparent huge pages",
         "unknown: /sys/kernel/mm/transparent_hugepage/enabled: no word in brackets"},
        {"/proc/sys/kernel/randomize_va_space", "0\n", "address randomisation", "off"},
        {"/proc/sys/kernel/randomize_va_space", "", "address randomisation",
         "unknown: /proc/sys/kernel/randomize_va_space: missing, or not a number"},
        {"/proc/cpuinfo", "processor\t: 0\nmicrocode\t: 0x2b000603\n", "microcode", "0x2b000603"},
        {"/sys/devices/system/cpu/cpu0/microcode/version", "0x77\n", "microcode", "0x77"},
        {"/sys/devices/system/cpu/vulnerabilities/mds", "Not affected\n", "mitigations",
         "none needed"},
        {"/sys/devices/system/cpu/vulnerabilities/spectre_v2", "Mitigation: IBRS\n", "mitigations",
         "spectre_v2 mitigated"},
        {"/sys/devices/system/cpu/vulnerabilities/retbleed", "Vulnerable\n", "mitigations",
         "retbleed open, spectre_v2 mitigated"},
        {"/sys/class/thermal/thermal_zone0/temp", "45000\n", "temperature", "45 degrees Celsius"},
        {"/sys/class/thermal/thermal_zone1/temp", "61000\n", "temperature", "61 degrees Celsius"},
        {"/proc/meminfo",
         "MemAvailable:  1048576 kB\nSwapTotal: 2097152 kB\nSwapFree: 1048576 kB\n", "swap used",
         "1.0 of 2.0 GiB"},
        {"/.dockerenv", "", "container", "Docker"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(cases[i].path, cases[i].text);
        assert_string_equal(value_of(cases[i].key), cases[i].value);
    }
}

/* Only CPUs that the process may use count, whatever numbers they have. */
static void test_record__governor__only_of_the_allowed_cpus(void **state)
{
    (void)state;
    machine m = plain;
    m.pus = m.cores = 1;
    m.n_team = 1;
    m.team[0] = 3;
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    put("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance\n");
    json_t *record = record_to_json(&m, root);
    assert_string_equal(record_value(record, "governor"), "performance");
    json_decref(record);
}

static void test_record__control_groups__quota_and_limit(void **state)
{
    (void)state;
    /* cgroup version 1 with the group's own path visible. */
    put("/proc/self/cgroup", "5:memory:/a/b\n4:cpu,cpuacct:/a/b\n0::/\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
                                "31 20 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "150000\n");
    put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    assert_string_equal(value_of("CPU quota"), "1.50 CPUs");
    assert_string_equal(value_of("memory limit"), "none");
    put("/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
    assert_string_equal(value_of("CPU quota"), "none");
    /* In a container the group is at the mount point, and its path is that of the host. */
    put("/proc/self/cgroup", "4:cpu,cpuacct:/outside/x\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_string_equal(value_of("CPU quota"), "0.50 CPUs");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "0\n");
    assert_string_equal(value_of("CPU quota"),
                        "unknown: the control group's files cannot be parsed");
    /* A container that mounts part of the tree sees the groups below that part. */
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "25000\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("/proc/self/mountinfo",
        "30 20 0:1 /outside /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    assert_string_equal(value_of("CPU quota"), "0.25 CPUs");
    put("/proc/self/cgroup", "4:cpu,cpuacct:/outside\n");
    assert_string_equal(value_of("CPU quota"), "0.50 CPUs");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "0\n");
    /* "cpuset" is not "cpu". */
    put("/proc/self/cgroup", "4:cpuset:/\n");
    assert_string_equal(value_of("CPU quota"), "unknown: reported by no control group");
    /* cgroup version 2. */
    put("/proc/self/cgroup", "0::/app\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/app/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/app/memory.max", "1073741824\n");
    assert_string_equal(value_of("CPU quota"), "none");
    assert_string_equal(value_of("memory limit"), "1.00 GiB");
    put("/sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    assert_string_equal(value_of("CPU quota"), "2.00 CPUs");
    /* The quota of an outer group applies too, and an intermediate group without the controller has
     * no file. */
    put("/proc/self/cgroup", "0::/app/between/inner\n");
    put("/sys/fs/cgroup/app/between/inner/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/app/between/inner/memory.max", "max\n");
    assert_string_equal(value_of("CPU quota"), "2.00 CPUs");
    assert_string_equal(value_of("memory limit"), "1.00 GiB");
    put("/sys/fs/cgroup/app/between/inner/cpu.max", "50000 100000\n");
    assert_string_equal(value_of("CPU quota"), "0.50 CPUs");
    put("/proc/self/cgroup", "0::/app/between\n");
    assert_string_equal(value_of("CPU quota"), "2.00 CPUs");
    put("/proc/self/cgroup", "0::/app\n");
    put("/sys/fs/cgroup/app/cpu.max", "lots\n");
    assert_string_equal(value_of("CPU quota"),
                        "unknown: the control group's files cannot be parsed");
}

/* Contents that no kernel writes: they neither crash the program nor are they believed. */
static void test_record__garbage__neither_crash_nor_value(void **state)
{
    (void)state;
    static const char *const paths[] = {"/proc/self/cgroup",
                                        "/proc/self/mountinfo",
                                        "/proc/meminfo",
                                        "/proc/stat",
                                        "/proc/cpuinfo",
                                        "/sys/devices/system/cpu/present",
                                        "/sys/devices/system/cpu/isolated",
                                        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                                        "/sys/kernel/mm/transparent_hugepage/enabled"};
    char *huge = malloc(100001);
    assert_non_null(huge);
    memset(huge, 'x', 100000);
    huge[100000] = '\0';
    const char *texts[] = {"",    "\n\n\n", ":::",          "4:cpu", " - ", "a b c d e - ",
                           "cpu", huge,     "\xff\xfe\x01", "]["};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++)
            put(paths[p], texts[t]);
        json_t *record = record_to_json(&plain, root);
        assert_true(json_array_size(record) > 25);
        json_decref(record);
        const conditions c = conditions_now(root, 0);
        assert_true(isnan(c.steal_s));
    }
    /* Text with a NUL byte is rejected, not cut at that byte. */
    char full_path[1024], text[64];
    snprintf(full_path, sizeof full_path, "%s/zero", root);
    write_raw(full_path, "on\0off", 6);
    assert_false(sysfile_text(root, "/zero", text, sizeof text));
    assert_string_equal(text, "/zero: not text");
    free(huge);
}

static void id_of(const machine *m, char id[RECORD_ID_SIZE])
{
    json_t *record = record_to_json(m, root);
    record_id(record, id);
    json_decref(record);
}

static void test_record__id__changes_only_with_the_hardware(void **state)
{
    (void)state;
    char first[RECORD_ID_SIZE], id[RECORD_ID_SIZE];
    put("/sys/devices/system/cpu/present", "0-3\n");
    id_of(&plain, first);
    assert_int_equal(strlen(first), 14);
    machine other = plain;
    snprintf(other.host_name, sizeof other.host_name, "elsewhere");
    snprintf(other.kernel, sizeof other.kernel, "Linux 2");
    snprintf(other.allowed_cpus, sizeof other.allowed_cpus, "0");
    other.pus = other.cores = 1; /* bound to one CPU */
    other.memory_bytes -= 1 << 20;
    put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    put("/sys/devices/system/cpu/cpu0/microcode/version", "0x99\n");
    put("/proc/meminfo", "MemAvailable: 5 kB\n");
    id_of(&other, id);
    assert_string_equal(id, first);
    machine changed = plain;
    snprintf(changed.cpu_name, sizeof changed.cpu_name, "Test CPU 2");
    id_of(&changed, id);
    assert_string_not_equal(id, first);
    changed = plain;
    changed.memory_bytes *= 2;
    id_of(&changed, id);
    assert_string_not_equal(id, first);
    changed = plain;
    changed.n_caches = 1;
    changed.caches[0] = (machine_cache){1, "data", 32768, 1};
    id_of(&changed, id);
    assert_string_not_equal(id, first);
    put("/sys/devices/system/cpu/present", "0-7\n");
    id_of(&plain, id);
    assert_string_not_equal(id, first);
}

/* ---- conditions ---- */

static void test_conditions__steal__of_the_right_cpu_and_column(void **state)
{
    (void)state;
    const double tick = (double)sysconf(_SC_CLK_TCK);
    put("/proc/stat", "cpu  1 2 3 4 5 6 7 800 9 10\n"
                      "cpu1 1 2 3 4 5 6 7 300 9 10\n"
                      "cpu10 1 2 3 4 5 6 7 500 9 10\n");
    assert_true(conditions_now(root, -1).steal_s == 800 / tick);
    assert_true(conditions_now(root, 1).steal_s == 300 / tick);
    assert_true(conditions_now(root, 10).steal_s == 500 / tick);
    assert_true(isnan(conditions_now(root, 2).steal_s));
    put("/proc/stat", "cpu  1 2 3 4 5 6 7\ncpu1 1 2 3\n"); /* as before Linux 2.6.11 */
    assert_true(isnan(conditions_now(root, -1).steal_s));
}

static void test_conditions__throttling__of_both_cgroup_versions(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "4:cpu,cpuacct:/a\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /cg rw - cgroup cgroup rw,cpu,cpuacct\n");
    put("/cg/a/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n");
    conditions c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 4.0 && fabs(c.throttled_s - 2.5) < 1e-12);
    put("/proc/self/cgroup", "0::/a\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
    put("/cg/a/cpu.stat", "usage_usec 1\nnr_periods 10\nnr_throttled 6\nthrottled_usec 2500000\n");
    c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 6.0 && fabs(c.throttled_s - 2.5) < 1e-12);
    put("/cg/a/cpu.stat", "usage_usec 1\n"); /* without the controller */
    assert_true(isnan(conditions_now(root, 0).throttled_s));
}

/* A quota throttles all groups inside, but only the group that sets it counts this. */
static void test_conditions__throttling__outer_groups_included(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
    put("/cg/cpu.stat", "usage_usec 1\n"); /* the root has no quota */
    put("/cg/a/cpu.stat", "nr_throttled 6\nthrottled_usec 2500000\n");
    put("/cg/a/b/cpu.stat", "nr_throttled 0\nthrottled_usec 0\n");
    conditions c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 6.0 && fabs(c.throttled_s - 2.5) < 1e-12);
    put("/cg/a/b/cpu.stat", "nr_throttled 1\nthrottled_usec 250000\n");
    c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 7.0 && fabs(c.throttled_s - 2.75) < 1e-12);
    put("/cg/a/b/cpu.stat", "usage_usec 1\n"); /* the controller is not delegated */
    c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 6.0 && fabs(c.throttled_s - 2.5) < 1e-12);
}

/* In a container the group is "/", which must not count again as its own outer group. */
static void test_conditions__throttling_of_the_root_group__counted_once(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
    put("/cg/cpu.stat", "nr_throttled 6\nthrottled_usec 2500000\n");
    const conditions c = conditions_now(root, 0);
    assert_true(c.throttled_periods == 6.0 && fabs(c.throttled_s - 2.5) < 1e-12);
}

static void test_conditions__difference_and_json__unknown_stays_unknown(void **state)
{
    (void)state;
    const conditions before = {1.0, 10.0, (double)NAN, 3.0, 5.0},
                     after = {1.5, 12.0, 4.0, 3.0, 4.0};
    const conditions passed = conditions_between(&before, &after);
    assert_true(passed.steal_s == 0.5 && passed.involuntary_switches == 2.0);
    assert_true(isnan(passed.migrations) && passed.throttled_periods == 0.0);
    assert_true(isnan(passed.throttled_s)); /* it fell: the group changed */
    json_t *o = json_object();
    conditions_set(o, &passed);
    assert_true(json_is_null(json_object_get(o, "migrations")));
    const conditions back = conditions_of_json(o);
    assert_true(back.steal_s == 0.5 && back.involuntary_switches == 2.0);
    assert_true(isnan(back.migrations) && isnan(conditions_of_json(NULL).steal_s));
    json_decref(o);
}

static void test_conditions__this_machine__never_decrease(void **state)
{
    (void)state;
    const conditions before = conditions_now("", -1), after = conditions_now("", -1);
    assert_true(after.involuntary_switches >= before.involuntary_switches);
}

/* ---- the doctor ---- */

static const doctor_sample quiet = {
    .seconds = 1.0, .clock_low_ghz = 3.0, .clock_high_ghz = 3.0, .counters_missing = ""};

static doctor_finding find(const machine *m, const doctor_sample *s, const char *topic)
{
    const doctor d = doctor_look(m, root, s);
    for (size_t i = 0; i < d.count; i++)
        if (strcmp(d.findings[i].topic, topic) == 0)
            return d.findings[i];
    fail_msg("no finding about %s", topic);
    return d.findings[0];
}

static void test_doctor__bad_and_good_settings__verdict_and_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *path, *bad, *good, *topic, *remedy;
        doctor_verdict verdict;
    } cases[] = {
        {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n", "performance\n",
         "governor", "cpupower frequency-set -g performance", DOCTOR_WARN},
        {"/sys/devices/system/cpu/cpufreq/boost", "1\n", "0\n", "turbo", "no_turbo", DOCTOR_NOTE},
        {"/sys/devices/system/cpu/smt/active", "1\n", "0\n", "SMT", "smt/control", DOCTOR_NOTE},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n",
         "always [madvise] never\n", "transparent huge pages", "echo madvise", DOCTOR_WARN},
        {"/proc/sys/kernel/numa_balancing", "1\n", "0\n", "NUMA balancing", "sysctl", DOCTOR_NOTE},
        {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", "tsc\n",
         "clock source", "echo tsc", DOCTOR_NOTE},
        {"/sys/devices/system/cpu/isolated", "\n", "3\n", "isolated CPUs", "isolcpus", DOCTOR_NOTE},
        {"/proc/meminfo", "MemAvailable: 1000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
         "MemAvailable: 9000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n", "available memory",
         "--quick", DOCTOR_WARN},
        {"/proc/meminfo", "MemAvailable: 9000000 kB\nSwapTotal: 900000 kB\nSwapFree: 0 kB\n",
         "MemAvailable: 9000000 kB\nSwapTotal: 900000 kB\nSwapFree: 900000 kB\n", "swap", "swapoff",
         DOCTOR_NOTE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(find(&plain, &quiet, cases[i].topic).verdict,
                         strcmp(cases[i].topic, "swap") == 0 ? DOCTOR_OK : DOCTOR_UNKNOWN);
        put(cases[i].path, cases[i].bad);
        const doctor_finding bad = find(&plain, &quiet, cases[i].topic);
        assert_int_equal(bad.verdict, cases[i].verdict);
        assert_non_null(strstr(bad.remedy, cases[i].remedy));
        assert_true(bad.effect[0] != '\0');
        put(cases[i].path, cases[i].good);
        const doctor_finding good = find(&plain, &quiet, cases[i].topic);
        assert_int_equal(good.verdict, DOCTOR_OK);
        assert_string_equal(good.remedy, "");
    }
}

static void test_doctor__quiet_and_busy_samples__verdicts(void **state)
{
    (void)state;
    doctor_sample s = quiet;
    static const char *const topics[] = {"steal", "throttling", "switches",         "whole core",
                                         "clock", "load",       "hardware counters"};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        assert_int_equal(find(&plain, &s, topics[i]).verdict, DOCTOR_OK);
    s = (doctor_sample){
        .seconds = 1.0,
        .passed = {.steal_s = 0.02, .involuntary_switches = 100, .throttled_s = 0.1},
        .clock_low_ghz = 2.9,
        .clock_high_ghz = 3.0,
        .shared = 0.2,
        .load = 3.0,
        .counters_missing = "hidden"};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        assert_int_equal(find(&plain, &s, topics[i]).verdict, i < 6 ? DOCTOR_WARN : DOCTOR_NOTE);
    /* Throttled by its quota alone. */
    s.passed =
        (conditions){.involuntary_switches = 100, .throttled_periods = 95, .throttled_s = 0.7};
    assert_int_equal(find(&plain, &s, "throttling").verdict, DOCTOR_WARN);
    assert_int_equal(find(&plain, &s, "switches").verdict, DOCTOR_OK);
    s.passed = (conditions){(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN};
    s.load = (double)NAN;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(find(&plain, &s, topics[i]).verdict, DOCTOR_UNKNOWN);
    assert_int_equal(find(&plain, &s, "load").verdict, DOCTOR_UNKNOWN);
}

static void test_doctor__restricted_machine__verdicts(void **state)
{
    (void)state;
    machine m = plain;
    assert_int_equal(find(&m, &quiet, "allowed CPUs").verdict, DOCTOR_OK);
    assert_int_equal(find(&m, &quiet, "hypervisor").verdict, DOCTOR_OK);
    m.pus = 1;
    snprintf(m.hypervisor, sizeof m.hypervisor, "KVM");
    assert_int_equal(find(&m, &quiet, "allowed CPUs").verdict, DOCTOR_WARN);
    assert_int_equal(find(&m, &quiet, "hypervisor").verdict, DOCTOR_NOTE);
    put("/proc/self/cgroup", "0::/app\n");
    put("/proc/self/mountinfo", "30 20 0:1 / /cg rw - cgroup2 cgroup2 rw\n");
    put("/cg/app/cpu.max", "50000 100000\n");
    assert_int_equal(find(&m, &quiet, "CPU quota").verdict, DOCTOR_WARN);
}

#define ON_A_TREE(test) cmocka_unit_test_setup(test, new_tree)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_TREE(test_record__empty_tree__every_value_has_a_reason),
        ON_A_TREE(test_record__settings__reported),
        ON_A_TREE(test_record__governor__only_of_the_allowed_cpus),
        ON_A_TREE(test_record__control_groups__quota_and_limit),
        ON_A_TREE(test_record__garbage__neither_crash_nor_value),
        ON_A_TREE(test_record__id__changes_only_with_the_hardware),
        ON_A_TREE(test_conditions__steal__of_the_right_cpu_and_column),
        ON_A_TREE(test_conditions__throttling__of_both_cgroup_versions),
        ON_A_TREE(test_conditions__throttling__outer_groups_included),
        ON_A_TREE(test_conditions__throttling_of_the_root_group__counted_once),
        cmocka_unit_test(test_conditions__difference_and_json__unknown_stays_unknown),
        cmocka_unit_test(test_conditions__this_machine__never_decrease),
        ON_A_TREE(test_doctor__bad_and_good_settings__verdict_and_remedy),
        ON_A_TREE(test_doctor__quiet_and_busy_samples__verdicts),
        ON_A_TREE(test_doctor__restricted_machine__verdicts),
    };
    return cmocka_run_group_tests_name("record", tests, scratch_open, remove_tree);
}
