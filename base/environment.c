/* SPDX-License-Identifier: MIT
 *
 * Both OpenMP runtimes bind threads if the environment asks for it. libgomp binds the initial
 * thread in its constructor, before main(); from then on the process and its children see one CPU
 * instead of all that it may use. The original mask cannot be read back: the places that the
 * runtime reports may be fewer, and executing the program again would inherit the narrow mask. A
 * constructor of the program is too late, since those of shared libraries run first. Only
 * .preinit_array of the executable runs before them.
 *
 * That function removes the variables; saving the mask would not be enough, because the runtime
 * would bind the threads later. The program binds its threads itself (machine.h). A binding made
 * before the process starts (taskset, a cpuset, mpirun) or in MPI_Init() stays visible to
 * sched_getaffinity().
 *
 * With a C library without .preinit_array, such as musl, the environment stays unchanged. */
#include "environment.h"

#include <string.h>

/* Prefixes of names: OpenMP 5.1 has variants such as OMP_PROC_BIND_ALL. */
static const char *const unwanted[] = {
    /* These bind threads, or choose CPUs for them. */
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_HW_SUBSET",
    "KMP_PLACE_THREADS",
    /* These change the number of threads that the program asks for. OMP_THREAD_LIMIT stays: the
     * user sets it on purpose, and together_granted() refuses to exceed it. */
    "OMP_DYNAMIC",
    "OMP_MAX_ACTIVE_LEVELS",
    "OMP_NESTED",
    /* The kernels need a known amount of stack; with less they crash. */
    "OMP_STACKSIZE",
    "GOMP_STACKSIZE",
    "KMP_STACKSIZE",
    /* libomp prints the affinity on standard output, amid the results. */
    "OMP_DISPLAY_AFFINITY",
    /* These make hwloc describe a machine other than this one. */
    "HWLOC_XMLFILE",
    "HWLOC_SYNTHETIC",
    "HWLOC_FSROOT",
    "HWLOC_CPUID_PATH",
};

enum { N_UNWANTED = sizeof unwanted / sizeof unwanted[0], REMOVED_MAX = 2 * N_UNWANTED };

static const char *removed[REMOVED_MAX + 1];
static size_t n_removed;

/* Not instrumented: a sanitizer may not be initialised yet. */
#if defined __has_attribute && __has_attribute(no_sanitize)
__attribute__((no_sanitize("address", "thread", "undefined")))
#endif
static void
remove_unwanted(int argc, char **argv, char **variables)
{
    (void)argc, (void)argv;
    char **kept = variables;
    for (char **v = variables; *v != NULL; v++) {
        size_t i = 0;
        while (i < N_UNWANTED && strncmp(*v, unwanted[i], strlen(unwanted[i])) != 0)
            i++;
        if (i == N_UNWANTED || n_removed == REMOVED_MAX)
            *kept++ = *v;
        else
            removed[n_removed++] = *v;
    }
    *kept = NULL;
}

__attribute__((section(".preinit_array"),
               used)) static void (*const first)(int, char **, char **) = remove_unwanted;

const char *environment_removed(size_t i)
{
    return i < n_removed ? removed[i] : NULL;
}
