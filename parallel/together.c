/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "together.h"

#include "base/clock.h"
#include "base/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>

/* Body of a thread that waits until all others have started. */
static void *wait_for_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* Starts `count` threads at once, fewer than MACHINE_TEAM_MAX, and ends them. Returns 0, or the
 * error of the one that could not be started. */
static int try_threads(size_t count, size_t *started)
{
    pthread_t threads[MACHINE_TEAM_MAX];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int error = 0;
    *started = 0;
    pthread_mutex_lock(&gate);
    while (*started < count && error == 0) {
        error = pthread_create(&threads[*started], NULL, wait_for_gate, &gate);
        *started += error == 0;
    }
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < *started; i++)
        pthread_join(threads[i], NULL);
    return error;
}

bool together_granted(size_t threads, char *why, size_t why_size)
{
    static size_t granted = 1; /* maximum so far: OpenMP keeps its threads */
    size_t started;
    if (threads <= granted)
        return true;
    const size_t limit = (size_t)omp_get_thread_limit();
    if (limit < threads) {
        snprintf(
            why, why_size,
            "OpenMP is limited to %zu of %zu threads: raise or unset OMP_THREAD_LIMIT, or give "
            "--threads %zu",
            limit, threads, limit);
        return false;
    }
    const int error = try_threads(threads - 1, &started);
    if (error != 0) {
        snprintf(why, why_size,
                 "the system starts %zu of %zu threads: %s; raise the limit on processes or "
                 "memory, or give fewer --threads",
                 started + 1, threads, strerror(error));
        return false;
    }
    size_t team = 1;
#pragma omp parallel num_threads((int)threads)
#pragma omp single
    team = (size_t)omp_get_num_threads();
    if (team < threads)
        snprintf(why, why_size,
                 "OpenMP starts %zu of %zu threads: unset the variables OMP_..., GOMP_... and "
                 "KMP_..., or give --threads %zu",
                 team, threads, team);
    else
        granted = team;
    return team == threads;
}

#else

bool together_granted(size_t threads, char *why, size_t why_size)
{
    if (threads > 1)
        snprintf(why, why_size, "this build has no OpenMP: build with a compiler that has it");
    return threads == 1;
}

#endif

size_t together_most_granted(size_t threads, char *why, size_t why_size)
{
    if (together_granted(threads, why, why_size))
        return threads;
    char ignored[192];
    size_t granted_max = 1;
    while (2 * granted_max < threads && together_granted(2 * granted_max, ignored, sizeof ignored))
        granted_max *= 2;
    return granted_max;
}

size_t together_bind(size_t threads, const int *cpus)
{
    size_t unbound = 0;
    if (threads == 1)
        return 0;
    machine_binding *binding = machine_binding_open();
#pragma omp parallel for num_threads((int)threads) schedule(static, 1) reduction(+ : unbound)
    for (size_t i = 0; i < threads; i++)
        unbound += cpus[i] >= 0 && !machine_bind(binding, cpus[i]);
    machine_binding_close(binding);
    return unbound;
}

double together_run(size_t threads, together_work work, void *context)
{
    const double start = clock_seconds();
#pragma omp parallel for num_threads((int)threads) schedule(static, 1) if (threads > 1)
    for (size_t i = 0; i < threads; i++)
        work(context, i);
    return clock_seconds() - start;
}
