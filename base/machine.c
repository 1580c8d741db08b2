/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "machine.h"

#include "build_info.h"
#include "downhill.h"
#include "output.h"
#include "record.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>
#if defined __x86_64__
#include <cpuid.h>
#endif

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from != NULL && from[0] != '\0' ? from : "unknown");
}

/* Reads the vendor string of CPUID leaf 0x40000000, with the common name for KVM; "" on bare
 * metal. */
static void read_hypervisor(char *name, size_t size)
{
    name[0] = '\0';
#if defined __x86_64__
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c >> 31 & 1) == 0)
        return;
    unsigned vendor[4] = {0};
    __cpuid(0x40000000, a, vendor[0], vendor[1], vendor[2]);
    const char *text = (const char *)vendor;
    snprintf(name, size, "%s", strncmp(text, "KVMKVMKVM", 9) == 0 ? "KVM" : text);
#else
    (void)size;
#endif
}

static hwloc_topology_t load_with(unsigned long flags)
{
    hwloc_topology_t topology;
    /* Otherwise each load prints what hwloc cannot find, such as /sys, to stderr. The record lists
     * unknown values anyway. */
    setenv("HWLOC_HIDE_ERRORS", "2", 0);
    if (hwloc_topology_init(&topology) != 0)
        return NULL;
    if (hwloc_topology_set_flags(topology, flags) == 0 && hwloc_topology_load(topology) == 0)
        return topology;
    hwloc_topology_destroy(topology);
    return NULL;
}

/* Loads the topology restricted to what this process may use; by default hwloc also shows the CPUs
 * outside a taskset or a cpuset. */
static hwloc_topology_t load_topology(void)
{
    return load_with(HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM |
                     HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING);
}

static unsigned count_objects(hwloc_topology_t topology, hwloc_obj_type_t type)
{
    const int count = hwloc_get_nbobjs_by_type(topology, type);
    return count > 0 ? (unsigned)count : 0;
}

static void read_caches(hwloc_topology_t topology, machine *m)
{
    for (hwloc_obj_t o = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, 0); o != NULL; o = o->parent)
        if (hwloc_obj_type_is_cache(o->type) && m->n_caches < MACHINE_CACHES_MAX)
            m->caches[m->n_caches++] = (machine_cache){
                .level = o->attr->cache.depth,
                .type = o->attr->cache.type == HWLOC_OBJ_CACHE_DATA          ? "data"
                        : o->attr->cache.type == HWLOC_OBJ_CACHE_INSTRUCTION ? "instruction"
                                                                             : "unified",
                .bytes = o->attr->cache.size,
                .shared_by_pus = (unsigned)hwloc_bitmap_weight(o->cpuset),
            };
}

/* Returns the rank-th last CPU of a set, or -1. */
static int last_cpu(hwloc_const_bitmap_t set, unsigned rank)
{
    int cpu = hwloc_bitmap_last(set);
    for (unsigned r = 0; cpu >= 0 && r < rank; r++) {
        do
            cpu--;
        while (cpu >= 0 && !hwloc_bitmap_isset(set, (unsigned)cpu));
    }
    return cpu;
}

static void read_team(hwloc_topology_t topology, machine *m)
{
    const unsigned cores = m->cores > 0 ? m->cores : 1; /* 0: unknown; treat all CPUs as one core */
    for (unsigned rank = 0; m->n_team < m->pus && m->n_team < MACHINE_TEAM_MAX; rank++) {
        const size_t before = m->n_team;
        for (unsigned i = cores; i-- > 0 && m->n_team < MACHINE_TEAM_MAX;) {
            const hwloc_obj_t core = m->cores > 0
                                         ? hwloc_get_obj_by_type(topology, HWLOC_OBJ_CORE, i)
                                         : hwloc_get_root_obj(topology);
            const int cpu = last_cpu(core->cpuset, rank);
            if (cpu >= 0)
                m->team[m->n_team++] = cpu;
        }
        if (m->n_team == before)
            return;
    }
}

static void read_topology(hwloc_topology_t topology, machine *m)
{
    const hwloc_obj_t root = hwloc_get_root_obj(topology);
    const hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    if (package != NULL)
        copy_text(m->cpu_name, sizeof m->cpu_name, hwloc_obj_get_info_by_name(package, "CPUModel"));
    m->packages = count_objects(topology, HWLOC_OBJ_PACKAGE);
    m->numa_nodes = count_objects(topology, HWLOC_OBJ_NUMANODE);
    m->cores = count_objects(topology, HWLOC_OBJ_CORE);
    m->pus = count_objects(topology, HWLOC_OBJ_PU);
    const int kinds = hwloc_cpukinds_get_nr(topology, 0);
    m->core_kinds = kinds > 0 ? (unsigned)kinds : 0;
    hwloc_bitmap_list_snprintf(m->allowed_cpus, sizeof m->allowed_cpus, root->cpuset);
    read_caches(topology, m);
    read_team(topology, m);
    char *xml = NULL;
    int length = 0;
    if (hwloc_topology_export_xmlbuffer(topology, &xml, &length, 0) == 0) {
        m->topology_xml = strdup(xml);
        hwloc_free_xmlbuffer(topology, xml);
    }
}

void machine_read(machine *m)
{
    memset(m, 0, sizeof *m);
    copy_text(m->cpu_name, sizeof m->cpu_name, NULL);
    copy_text(m->kernel, sizeof m->kernel, NULL);
    copy_text(m->allowed_cpus, sizeof m->allowed_cpus, NULL);
    read_hypervisor(m->hypervisor, sizeof m->hypervisor);
    if (gethostname(m->host_name, sizeof m->host_name) != 0)
        copy_text(m->host_name, sizeof m->host_name, NULL);
    m->host_name[sizeof m->host_name - 1] = '\0';
    struct utsname u;
    if (uname(&u) == 0)
        snprintf(m->kernel, sizeof m->kernel, "%s %s", u.sysname, u.release);
    /* hwloc's sum over NUMA nodes lacks memory that was plugged in later. */
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        m->memory_bytes = (uint64_t)pages * (uint64_t)page;
    hwloc_topology_t topology = load_topology();
    if (topology != NULL) {
        read_topology(topology, m);
        hwloc_topology_destroy(topology);
    }
}

void machine_close(machine *m)
{
    free(m->topology_xml);
    m->topology_xml = NULL;
}

uint64_t machine_last_level(const machine *m)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < m->n_caches; i++)
        largest = m->caches[i].bytes > largest ? m->caches[i].bytes : largest;
    return largest;
}

int machine_pin(char *why, size_t why_size)
{
    hwloc_topology_t topology = load_topology();
    if (topology == NULL) {
        snprintf(why, why_size, "hwloc cannot read the topology");
        return -1;
    }
    int cpu = -1;
    const int count = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    const hwloc_obj_t pu =
        count > 0 ? hwloc_get_obj_by_type(topology, HWLOC_OBJ_PU, (unsigned)count - 1) : NULL;
    if (pu == NULL)
        snprintf(why, why_size, "hwloc shows no PU");
    else if (hwloc_set_cpubind(topology, pu->cpuset, HWLOC_CPUBIND_THREAD) != 0)
        snprintf(why, why_size, "binding to CPU %u: %s", pu->os_index, strerror(errno));
    else
        cpu = (int)pu->os_index;
    hwloc_topology_destroy(topology);
    return cpu;
}

machine_binding *machine_binding_open(void)
{
    return load_with(0);
}

bool machine_bind(machine_binding *binding, int cpu)
{
    hwloc_bitmap_t set = binding != NULL && cpu >= 0 ? hwloc_bitmap_alloc() : NULL;
    if (set == NULL)
        return false;
    hwloc_bitmap_only(set, (unsigned)cpu);
    const bool bound = hwloc_set_cpubind(binding, set, HWLOC_CPUBIND_THREAD) == 0;
    hwloc_bitmap_free(set);
    return bound;
}

/* Returns the NUMA nodes of these CPUs, to be freed. NULL: out of memory. */
static hwloc_bitmap_t nodes_of(hwloc_topology_t topology, const int *cpus, size_t n_cpus)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc(), nodes = hwloc_bitmap_alloc();
    for (size_t i = 0; set != NULL && i < n_cpus; i++)
        if (cpus[i] >= 0)
            hwloc_bitmap_set(set, (unsigned)cpus[i]);
    if (set != NULL && nodes != NULL)
        hwloc_cpuset_to_nodeset(topology, set, nodes);
    hwloc_bitmap_free(set);
    return nodes;
}

bool machine_interleave(machine_binding *binding, const int *cpus, size_t n_cpus, void *area,
                        size_t bytes)
{
    hwloc_bitmap_t nodes = binding != NULL ? nodes_of(binding, cpus, n_cpus) : NULL;
    bool good = nodes != NULL;
    if (good && hwloc_bitmap_weight(nodes) > 1)
        good = hwloc_set_area_membind(binding, area, bytes, nodes, HWLOC_MEMBIND_INTERLEAVE,
                                      HWLOC_MEMBIND_BYNODESET | HWLOC_MEMBIND_MIGRATE) == 0;
    hwloc_bitmap_free(nodes);
    return good;
}

void machine_binding_close(machine_binding *binding)
{
    if (binding != NULL)
        hwloc_topology_destroy(binding);
}

/* Returns the hand-written level that has the same flags as this auto level; null for levels of
 * other kinds. */
static json_t *hand_written_counterpart(const downhill_level *level)
{
    downhill_level other;
    if (level->kind == DOWNHILL_KIND_AUTO)
        for (size_t i = 0; downhill_level_at(i, &other) == DOWNHILL_OK; i++)
            if (other.auto_name != NULL && strcmp(other.auto_name, level->name) == 0)
                return json_string(other.name);
    return json_null();
}

static json_t *levels_to_json(void)
{
    static const char *const kinds[] = {"baseline", "auto", "hand"};
    json_t *list = json_array();
    downhill_level level;
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
        json_t *o = json_object();
        output_set(o, "name", json_string(level.name));
        output_set(o, "kind", json_string(kinds[level.kind]));
        output_set(o, "auto_of", hand_written_counterpart(&level));
        output_set(o, "compiled", json_boolean(level.compiled));
        output_set(o, "cpu", json_boolean(level.cpu));
        output_set(o, "os", json_boolean(level.os));
        output_set(o, "permitted", json_boolean(level.permitted));
        output_set(o, "usable", json_boolean(level.usable));
        output_set(o, "chosen", json_boolean(level.chosen));
        output_set(o, "missing", json_string(level.missing));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *features_to_json(void)
{
    json_t *list = json_array();
    downhill_feature feature;
    for (size_t i = 0; downhill_feature_at(i, &feature) == DOWNHILL_OK; i++) {
        json_t *o = json_object();
        output_set(o, "name", json_string(feature.name));
        output_set(o, "cpu", json_boolean(feature.cpu));
        output_set(o, "os", json_boolean(feature.os));
        output_set(o, "permitted",
                   feature.permitted < 0 ? json_null() : json_boolean(feature.permitted));
        output_set(o, "disabled", json_boolean(feature.disabled));
        json_array_append_new(list, o);
    }
    return list;
}

json_t *machine_to_json(const machine *m)
{
    json_t *caches = json_array();
    for (size_t i = 0; i < m->n_caches; i++) {
        json_t *o = json_object();
        output_set(o, "level", json_integer(m->caches[i].level));
        output_set(o, "type", json_string(m->caches[i].type));
        output_set(o, "bytes", json_integer((json_int_t)m->caches[i].bytes));
        output_set(o, "shared_by_pus", json_integer(m->caches[i].shared_by_pus));
        json_array_append_new(caches, o);
    }
    json_t *record = record_to_json(m, "");
    char id[RECORD_ID_SIZE];
    record_id(record, id);
    json_t *o = json_object();
    output_set(o, "id", json_string(id));
    output_set(o, "cpu_name", json_string(m->cpu_name));
    output_set(o, "hypervisor", m->hypervisor[0] ? json_string(m->hypervisor) : json_null());
    output_set(o, "kernel", json_string(m->kernel));
    output_set(o, "host_name", json_string(m->host_name));
    output_set(o, "packages", json_integer(m->packages));
    output_set(o, "numa_nodes", json_integer(m->numa_nodes));
    output_set(o, "cores", json_integer(m->cores));
    output_set(o, "pus", json_integer(m->pus));
    output_set(o, "allowed_cpus", json_string(m->allowed_cpus));
    output_set(o, "memory_bytes", json_integer((json_int_t)m->memory_bytes));
    output_set(o, "caches", caches);
    output_set(o, "features", features_to_json());
    output_set(o, "levels", levels_to_json());
    output_set(o, "record", record);
    output_set(o, "topology_xml",
               m->topology_xml != NULL ? json_string(m->topology_xml) : json_null());
    return o;
}

const char *machine_build_levels(void)
{
    return DOWNHILL_BUILD_LEVELS;
}

bool machine_build_is_slow(char *why, size_t why_size)
{
    if (DOWNHILL_BUILD_SANITIZE[0] != '\0')
        snprintf(why, why_size, "built with -fsanitize=%s", DOWNHILL_BUILD_SANITIZE);
    else if (strcmp(DOWNHILL_BUILD_TYPE, "Release") != 0 &&
             strcmp(DOWNHILL_BUILD_TYPE, "RelWithDebInfo") != 0)
        snprintf(why, why_size, "built as '%s'", DOWNHILL_BUILD_TYPE);
    else
        return false;
    return true;
}

json_t *machine_build_to_json(void)
{
    static const struct {
        const char *level, *flags;
    } level_flags[] = {DOWNHILL_BUILD_FLAGS};

    json_t *flags = json_object();
    output_set(flags, "common", json_string(DOWNHILL_BUILD_COMMON));
    for (size_t i = 0; i < sizeof level_flags / sizeof level_flags[0]; i++)
        output_set(flags, level_flags[i].level, json_string(level_flags[i].flags));
    json_t *libraries = json_object();
    output_set(libraries, "benchmark", json_string(DOWNHILL_BUILD_BENCHMARK));
    output_set(libraries, "hwloc", json_string(DOWNHILL_BUILD_HWLOC));
    output_set(libraries, "jansson", json_string(jansson_version_str()));
    output_set(libraries, "zlib", json_string(zlibVersion()));

    json_t *o = json_object();
    output_set(o, "version", json_string(downhill_version()));
    output_set(o, "commit", json_string(DOWNHILL_BUILD_COMMIT));
    output_set(o, "dirty", json_boolean(DOWNHILL_BUILD_DIRTY));
    output_set(o, "compiler", json_string(DOWNHILL_BUILD_COMPILER));
    output_set(o, "build_type", json_string(DOWNHILL_BUILD_TYPE));
    output_set(o, "flags", flags);
    output_set(o, "libraries", libraries);
    return o;
}
