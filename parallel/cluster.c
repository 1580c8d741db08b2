/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cluster.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t cluster_part(const cluster *c, size_t n, size_t unit, size_t *first)
{
    const size_t units = (n + unit - 1) / unit;
    size_t start = units * c->rank / c->size * unit, end = units * (c->rank + 1) / c->size * unit;
    start = start < n ? start : n;
    end = end < n ? end : n;
    *first = start;
    return end - start;
}

bool cluster_is_wanted(void)
{
    /* Open MPI; MPICH and what follows its PMI; Slurm with either. */
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (getenv(sizes[i]) != NULL)
            return true;
    return false;
}

#ifdef DOWNHILL_MPI

#include <mpi.h>

enum { SUMS_MAX = 3, CHUNK = 1 << 30 }; /* MPI counts in int */

/* How long a rank that was told to end waits for the others to come to the end of a step. */
#define PATIENCE_S 0.3

bool cluster_supported(void)
{
    return true;
}

bool cluster_join(cluster *c)
{
    int provided, rank, size, local_rank, local_size;
    MPI_Comm local;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        error_line("MPI cannot be started; run without mpirun, or see what it said above");
        return false;
    }
    /* A failure comes back as a code, with which lost() says what to do. */
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    MPI_Comm_rank(local, &local_rank);
    MPI_Comm_size(local, &local_size);
    MPI_Comm_free(&local);
    c->rank = (size_t)rank;
    c->size = (size_t)size;
    c->local_rank = (size_t)local_rank;
    c->local_size = (size_t)local_size;
    return true;
}

void cluster_leave(cluster *c, int code, bool agreed)
{
    int started;
    MPI_Initialized(&started);
    if (!started)
        return;
    if (code != 0 && !agreed && c->size > 1)
        MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
}

__attribute__((noreturn)) static void lost(const cluster *c, const char *why)
{
    error_line("rank %zu of %zu: %s: another rank is gone, and with it the job%s%s", c->rank,
               c->size, why, c->remedy != NULL ? "; " : "", c->remedy != NULL ? c->remedy : "");
    fflush(stdout);
    _exit(*c->stop != 0 ? 128 + (int)*c->stop : EXIT_INTERNAL);
}

/* Not MPI_Waitall(): it would wait for ever for a rank that is gone, and take no notice of the signal with which the
 * launcher ends the others. */
static void wait_for(const cluster *c, MPI_Request *requests, int count)
{
    double told_s = 0.0;
    for (int done = 0; !done;) {
        if (MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS)
            lost(c, "communication failed");
        if (done || *c->stop == 0)
            continue;
        const double now = clock_seconds();
        told_s = told_s == 0.0 ? now : told_s;
        if (now - told_s > PATIENCE_S)
            lost(c, "told to end while waiting");
    }
}

static cluster_sum behind(const cluster_sum *s, size_t count)
{
    return (cluster_sum){s->i32 != NULL ? s->i32 + count : NULL,
                         s->f32 != NULL ? s->f32 + count : NULL,
                         s->f64 != NULL ? s->f64 + count : NULL, s->count - count};
}

void cluster_add_up(const cluster *c, const cluster_sum *sums, size_t count)
{
    MPI_Request requests[SUMS_MAX];
    if (c->size == 1)
        return;
    for (size_t i = 0; i < count; i++) {
        cluster_sum part = sums[i];
        const cluster_sum *s = &part;
        while (part.count > CHUNK) {
            cluster_sum chunk = part;
            chunk.count = CHUNK;
            cluster_add_up(c, &chunk, 1);
            part = behind(&part, CHUNK);
        }
        void *values = s->i32 != NULL ? (void *)s->i32 : s->f32 != NULL ? (void *)s->f32 : s->f64;
        const MPI_Datatype type = s->i32 != NULL   ? MPI_INT32_T
                                  : s->f32 != NULL ? MPI_FLOAT
                                                   : MPI_DOUBLE;
        if (MPI_Iallreduce(MPI_IN_PLACE, values, (int)s->count, type, MPI_SUM, MPI_COMM_WORLD,
                           &requests[i]) != MPI_SUCCESS)
            lost(c, "communication failed");
    }
    wait_for(c, requests, (int)count);
}

void cluster_share(const cluster *c, void *bytes, size_t count)
{
    MPI_Request request;
    if (c->size == 1)
        return;
    if (MPI_Ibcast(bytes, (int)count, MPI_BYTE, 0, MPI_COMM_WORLD, &request) != MPI_SUCCESS)
        lost(c, "communication failed");
    wait_for(c, &request, 1);
}

int cluster_largest(const cluster *c, int value)
{
    MPI_Request request;
    if (c->size == 1)
        return value;
    if (MPI_Iallreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &request) !=
        MPI_SUCCESS)
        lost(c, "communication failed");
    wait_for(c, &request, 1);
    return value;
}

#else

bool cluster_supported(void)
{
    return false;
}

bool cluster_join(cluster *c)
{
    (void)c;
    error_line(
        "this build has no MPI; install it (libopenmpi-dev), build again, or run without mpirun");
    return false;
}

void cluster_leave(cluster *c, int code, bool agreed)
{
    (void)c, (void)code, (void)agreed;
}

void cluster_add_up(const cluster *c, const cluster_sum *sums, size_t count)
{
    (void)c, (void)sums, (void)count;
}

void cluster_share(const cluster *c, void *bytes, size_t count)
{
    (void)c, (void)bytes, (void)count;
}

int cluster_largest(const cluster *c, int value)
{
    (void)c;
    return value;
}

#endif

bool cluster_agree(const cluster *c, const void *bytes, size_t count)
{
    if (c->size == 1)
        return true;
    char *first = malloc(count);
    if (first == NULL)
        return false;
    memcpy(first, bytes, count);
    cluster_share(c, first, count);
    const int differs = cluster_largest(c, memcmp(first, bytes, count) != 0);
    free(first);
    return !differs;
}
