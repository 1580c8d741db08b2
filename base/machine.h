/* SPDX-License-Identifier: MIT
 *
 * Description of this machine, from hwloc and CPUID, and binding of threads to CPUs. */
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
    char cpu_name[128];  /* "unknown" if no source gives it */
    char hypervisor[32]; /* "" on bare metal */
    char kernel[160];    /* operating system and release */
    char host_name[128];
    char allowed_cpus[128];                    /* the CPUs that this process may use, "0-1" */
    unsigned packages, numa_nodes, cores, pus; /* numbers of those that it may use */
    unsigned core_kinds;        /* 2 for performance and efficiency cores; 0: unknown */
    size_t n_team;              /* at most MACHINE_TEAM_MAX */
    int team[MACHINE_TEAM_MAX]; /* CPUs in the order in which threads should use them: the last PU
                                   of each core, last core first, then the other PUs; the first
                                   is the one that machine_pin() uses */
    uint64_t memory_bytes;
    machine_cache caches[MACHINE_CACHES_MAX]; /* of the first allowed PU, nearest first */
    size_t n_caches;
    char *topology_xml; /* hwloc's export of what this process may use; NULL: not available */
} machine;

/* Reads the description. Never fails: an unknown value is 0 or "unknown". Call this before the
 * thread is bound to a CPU, since afterwards only that CPU counts as allowed. */
void machine_read(machine *m);
void machine_close(machine *m);

/* Returns the size of the largest cache in bytes; 0: unknown. */
uint64_t machine_last_level(const machine *m);

/* Returns the machine with its ISA levels and CPU features, as in results.json
 * (reports/README.md). */
json_t *machine_to_json(const machine *m);

/* Returns a description of the build: version, commit, compiler, flags per level, libraries. */
json_t *machine_build_to_json(void);

/* Returns the ISA levels that the build was configured for, separated by semicolons. */
const char *machine_build_levels(void);

/* Returns whether the build makes timings meaningless, as without optimisation; `why` is then
 * set to the reason. */
bool machine_build_is_slow(char *why, size_t why_size);

/* Binds the calling thread to the last allowed PU (the first one handles most interrupts). Returns
 * its operating-system number, or -1 with the reason in `why`. */
int machine_pin(char *why, size_t why_size);

/* A topology for machine_bind(), which any thread may use. NULL: hwloc cannot read it, and
 * machine_bind() fails. */
typedef struct hwloc_topology machine_binding;
machine_binding *machine_binding_open(void);

/* Binds the calling thread to a CPU by its operating-system number. */
bool machine_bind(machine_binding *binding, int cpu);
void machine_binding_close(machine_binding *binding);

/* Interleaves the pages of an existing area over the NUMA nodes of these CPUs. Threads read rows
 * in random order, so on one node all reads would share its memory bus. Does nothing if the CPUs
 * belong to one node. Returns false if the operating system refuses. */
bool machine_interleave(machine_binding *binding, const int *cpus, size_t n_cpus, void *area,
                        size_t bytes);

#endif
