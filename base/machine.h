/* SPDX-License-Identifier: MIT
 *
 * What this machine is, from hwloc and CPUID, and where a thread may run. */
#ifndef DOWNHILL_BASE_MACHINE_H
#define DOWNHILL_BASE_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACHINE_CACHES_MAX = 8, MACHINE_TEAM_MAX = 256 };

typedef struct machine_cache {
    unsigned level;
    const char *type; /* "data", "instruction", "unified" */
    uint64_t bytes;
    unsigned shared_by_pus;
} machine_cache;

typedef struct machine {
    char cpu_name[128];  /* "unknown" where nothing says */
    char hypervisor[32]; /* "" on bare metal */
    char kernel[160];    /* operating system and release */
    char host_name[128];
    char allowed_cpus[128];                    /* the CPUs this process may use, "0-1" */
    unsigned packages, numa_nodes, cores, pus; /* those allowed */
    unsigned core_kinds;                       /* fast and frugal ones, say; 0: not told */
    size_t n_team;                             /* at most MACHINE_TEAM_MAX */
    int team[MACHINE_TEAM_MAX]; /* CPUs in the order in which threads should take them: the last one
                                   of each core, the last core first, then the others; the first
                                   is the one that machine_pin() takes */
    uint64_t memory_bytes;
    machine_cache caches[MACHINE_CACHES_MAX]; /* of the first allowed PU, nearest first */
    size_t n_caches;
    char
        *topology_xml; /* hwloc's own description of what this process may use; NULL: it has none */
} machine;

/* Never fails: what cannot be found out is 0 or "unknown". Before the thread is bound to a CPU: afterwards
 * only that one would show as allowed. */
void machine_read(machine *m);
void machine_close(machine *m);

/* Bytes of its largest cache; 0: not known. */
uint64_t machine_last_level(const machine *m);

/* The machine with its ISA levels and CPU features, as in results.json (reports/README.md). */
json_t *machine_to_json(const machine *m);

/* How the program was built: version, commit, compiler, flags per level, libraries. */
json_t *machine_build_to_json(void);

/* The SIMD levels that it was to be built with, with semicolons between them. */
const char *machine_build_levels(void);

/* Was it built in a way that makes its times meaningless? Then `why` says how. */
bool machine_build_is_slow(char *why, size_t why_size);

/* Binds the calling thread to one PU, the last of those allowed (the first takes most interrupts).
 * Returns its operating-system number, or -1 and a reason. */
int machine_pin(char *why, size_t why_size);

/* Binds the calling thread to a CPU by its operating-system number; from any thread. NULL: hwloc
 * cannot read the topology, and machine_bind() fails. */
typedef struct hwloc_topology machine_binding;
machine_binding *machine_binding_open(void);
bool machine_bind(machine_binding *binding, int cpu);
void machine_binding_close(machine_binding *binding);

/* Spreads the pages of an area that is there already over the NUMA nodes of these CPUs, in turn. Rows in random order come
 * from everywhere, whichever thread reads them; on one node they would all come over its one bus. Does nothing
 * where the CPUs have one node between them. false: the operating system would not. */
bool machine_interleave(machine_binding *binding, const int *cpus, size_t n_cpus, void *area,
                        size_t bytes);

#endif
