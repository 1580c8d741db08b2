/* SPDX-License-Identifier: MIT
 *
 * Both OpenMP runtimes bind threads of their own accord if the environment asks for it. libgomp
 * binds the initial thread in its constructor, before main(); from then on the process sees one CPU
 * where it was given many, and so do the processes that it starts. The mask that it was given
 * cannot be read back: the places that the runtime reports may be fewer, and executing the program
 * again would inherit the narrow mask. A constructor of the program is too late, since those of
 * shared libraries run first. What runs before them is .preinit_array of the executable.
 *
 * The variables are removed there, instead of noting the mask there, because a later binding must
 * not happen either: the program binds its threads itself (machine.h). What binds the process
 * before it starts (taskset, a cpuset, mpirun) or in MPI_Init() stays visible to
 * sched_getaffinity().
 *
 * A C library without .preinit_array, as musl, leaves the environment as it is. */
#include "environment.h"

#include <string.h>

/* Beginnings of names: OpenMP 5.1 has variants such as OMP_PROC_BIND_ALL. */
static const char *const unwanted[] = {
    /* Bind threads, or choose CPUs for them. */
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "KMP_HW_SUBSET",
    "KMP_PLACE_THREADS",
    /* Change the number of threads that the program asks for. OMP_THREAD_LIMIT stays: it is a limit
     * that was set on purpose, and together_granted() refuses to exceed it. */
    "OMP_DYNAMIC",
    "OMP_MAX_ACTIVE_LEVELS",
    "OMP_NESTED",
    /* The stack that the kernels need is known, and less of it is a crash. */
    "OMP_STACKSIZE",
    "GOMP_STACKSIZE",
    "KMP_STACKSIZE",
    /* libomp prints the affinity on standard output, among results. */
    "OMP_DISPLAY_AFFINITY",
    /* Make hwloc describe another machine than the one that runs the program. */
    "HWLOC_XMLFILE",
    "HWLOC_SYNTHETIC",
    "HWLOC_FSROOT",
    "HWLOC_CPUID_PATH",
};

enum { N_UNWANTED = sizeof unwanted / sizeof unwanted[0], REMOVED_MAX = 2 * N_UNWANTED };

static const char *removed[REMOVED_MAX + 1];
static size_t n_removed;

/* Sanitizers may begin after this. */
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
