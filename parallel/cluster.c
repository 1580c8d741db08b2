/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cluster.h"

#include "base/error.h"
#include "part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t cluster_part(const cluster *c, size_t n, size_t unit, size_t *first)
{
    *first = part_start(n, unit, c->rank, c->size);
    return part_start(n, unit, c->rank + 1, c->size) - *first;
}

bool cluster_is_wanted(void)
{
    /* Open MPI's mpirun; MPICH and other launchers with PMI. */
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const char *size = getenv(sizes[i]);
        if (size != NULL)
            return strcmp(size, "1") != 0;
    }
    /* PMIx launchers do not tell the number of ranks, but srun --mpi=pmix does. */
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return getenv("PMIX_RANK") != NULL && (tasks == NULL || strcmp(tasks, "1") != 0);
}

#ifdef DOWNHILL_MPI

#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* CHUNK: elements per call, since MPI counts in int */
enum { SUMS_MAX = 3, CHUNK = 1 << 30 };

/* Time that a rank told to end waits for the others to finish a step, and interval of the checks.
 * Must be less than the second that mpirun allows. */
enum { PATIENCE_MS = 600, LOOK_MS = 50 };

bool cluster_supported(void)
{
    return true;
}

__attribute__((noreturn)) static void lost(const cluster *c, const char *why)
{
    error_line("rank %zu of %zu: %s: one of them has died or is too slow%s%s", c->rank, c->size,
               why, c->remedy != NULL ? "; " : "", c->remedy != NULL ? c->remedy : "");
    fflush(stdout);
    _exit(*c->stop != 0 ? 128 + (int)*c->stop : EXIT_INTERNAL);
}

/* Watchdog. A collective call never returns if another rank is gone, and calls that can be
 * cancelled are up to twice as slow. So a thread watches: if the launcher, which ends all ranks,
 * has told this rank to end and it is still in the same call PATIENCE_MS later, the call will not
 * return. */
static struct {
    pthread_t thread;
    bool started;
    atomic_bool over;
    atomic_ulong calls; /* number of entries and exits: odd during a call */
} watch;

static void pause_ms(long ms)
{
    const struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

static void *look(void *context)
{
    const cluster *c = context;
    unsigned long before = 0;
    for (int same_ms = 0; !atomic_load(&watch.over); pause_ms(LOOK_MS)) {
        const unsigned long calls = atomic_load(&watch.calls);
        const bool stuck = *c->stop != 0 && calls % 2 == 1 && calls == before;
        same_ms = stuck ? same_ms + LOOK_MS : 0;
        before = calls;
        if (same_ms >= PATIENCE_MS)
            lost(c, "told to end while waiting for the other ranks");
    }
    return NULL;
}

static void enter(void)
{
    atomic_fetch_add(&watch.calls, 1);
}

static void leave(const cluster *c, int failure)
{
    atomic_fetch_add(&watch.calls, 1);
    if (failure != MPI_SUCCESS)
        lost(c, "cannot reach the other ranks");
}

/* Returns the values after the first `count`. */
static cluster_sum after(const cluster_sum *s, size_t count)
{
    return (cluster_sum){s->i32 != NULL ? s->i32 + count : NULL,
                         s->f32 != NULL ? s->f32 + count : NULL,
                         s->f64 != NULL ? s->f64 + count : NULL, s->count - count};
}

/* Reads the rank and the number of ranks in a communicator. Returns MPI_SUCCESS or an MPI error. */
static int read_ranks(MPI_Comm communicator, int *rank, int *size)
{
    const int failure = MPI_Comm_rank(communicator, rank);
    return failure != MPI_SUCCESS ? failure : MPI_Comm_size(communicator, size);
}

/* Reads the same among the ranks on this machine. */
static int read_local_ranks(int *rank, int *size)
{
    MPI_Comm local; /* inherits the error handler */
    int failure =
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    if (failure != MPI_SUCCESS)
        return failure;
    failure = read_ranks(local, rank, size);
    const int freed = MPI_Comm_free(&local);
    return failure != MPI_SUCCESS ? failure : freed;
}

bool cluster_join(cluster *c)
{
    int provided, rank, size, local_rank, local_size;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        error_line("MPI cannot be started; see its messages above, or run without mpirun");
        return false;
    }
    /* Return errors as codes, so that lost() can name the remedy. */
    int failure = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (failure == MPI_SUCCESS)
        failure = read_ranks(MPI_COMM_WORLD, &rank, &size);
    if (failure == MPI_SUCCESS)
        failure = read_local_ranks(&local_rank, &local_size);
    if (failure != MPI_SUCCESS) {
        char text[MPI_MAX_ERROR_STRING] = "unknown error";
        int length;
        (void)MPI_Error_string(failure, text, &length);
        error_line("MPI cannot set up the ranks: %s; check the MPI installation, or run without "
                   "mpirun",
                   text);
        /* The other ranks wait for this one, and MPI_Finalize() would wait for them. */
        MPI_Abort(MPI_COMM_WORLD, EXIT_ENVIRONMENT);
        return false;
    }
    c->rank = (size_t)rank;
    c->size = (size_t)size;
    c->local_rank = (size_t)local_rank;
    c->local_size = (size_t)local_size;
    /* optional: without it a lost rank is not reported */
    watch.started = pthread_create(&watch.thread, NULL, look, c) == 0;
    return true;
}

void cluster_leave(cluster *c, int code, bool agreed)
{
    int started;
    MPI_Initialized(&started);
    if (!started)
        return;
    if (watch.started) {
        atomic_store(&watch.over, true);
        pthread_join(watch.thread, NULL);
        watch.started = false;
    }
    if (code != 0 && !agreed && c->size > 1)
        MPI_Abort(MPI_COMM_WORLD, code);
    MPI_Finalize();
}

static MPI_Datatype type_of(const cluster_sum *s)
{
    return s->i32 != NULL ? MPI_INT32_T : s->f32 != NULL ? MPI_FLOAT : MPI_DOUBLE;
}

static void *values_of(const cluster_sum *s)
{
    return s->i32 != NULL ? (void *)s->i32 : s->f32 != NULL ? (void *)s->f32 : (void *)s->f64;
}

/* Sums the first and largest array with a blocking call, the fastest way, while the others are
 * under way. */
void cluster_add_up(const cluster *c, const cluster_sum *sums, size_t count)
{
    MPI_Request requests[SUMS_MAX];
    int failure = MPI_SUCCESS;
    if (c->size == 1)
        return;
    enter();
    for (size_t i = 1; i < count && failure == MPI_SUCCESS; i++)
        failure = MPI_Iallreduce(MPI_IN_PLACE, values_of(&sums[i]), (int)sums[i].count,
                                 type_of(&sums[i]), MPI_SUM, MPI_COMM_WORLD, &requests[i]);
    for (cluster_sum rest = sums[0]; rest.count > 0 && failure == MPI_SUCCESS;) {
        const size_t n = rest.count < CHUNK ? rest.count : CHUNK;
        failure = MPI_Allreduce(MPI_IN_PLACE, values_of(&rest), (int)n, type_of(&rest), MPI_SUM,
                                MPI_COMM_WORLD);
        rest = after(&rest, n);
    }
    if (failure == MPI_SUCCESS)
        failure = MPI_Waitall((int)count - 1, requests + 1, MPI_STATUSES_IGNORE);
    leave(c, failure);
}

void cluster_gather(const cluster *c, float *values, size_t width, const size_t *starts)
{
    if (c->size == 1)
        return;
    int *counts = malloc(2 * c->size * sizeof *counts);
    if (counts == NULL)
        lost(c, "out of memory");
    int *displacements = counts + c->size;
    for (size_t r = 0; r < c->size; r++) {
        counts[r] = (int)(starts[r + 1] - starts[r]);
        displacements[r] = (int)starts[r];
    }
    /* MPI counts in int, so an element is a type of its own. */
    MPI_Datatype element;
    enter();
    int failure = MPI_Type_contiguous((int)width, MPI_FLOAT, &element);
    if (failure == MPI_SUCCESS)
        failure = MPI_Type_commit(&element);
    if (failure == MPI_SUCCESS)
        failure = MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, displacements,
                                 element, MPI_COMM_WORLD);
    if (failure == MPI_SUCCESS)
        failure = MPI_Type_free(&element);
    leave(c, failure);
    free(counts);
}

void cluster_share(const cluster *c, void *bytes, size_t count)
{
    if (c->size == 1)
        return;
    enter();
    leave(c, MPI_Bcast(bytes, (int)count, MPI_BYTE, 0, MPI_COMM_WORLD));
}

int cluster_largest(const cluster *c, int value)
{
    if (c->size == 1)
        return value;
    enter();
    leave(c, MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
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

void cluster_gather(const cluster *c, float *values, size_t width, const size_t *starts)
{
    (void)c, (void)values, (void)width, (void)starts;
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
    char first[CLUSTER_AGREE_MAX];
    if (c->size == 1)
        return true;
    memcpy(first, bytes, count);
    cluster_share(c, first, count);
    return cluster_largest(c, memcmp(first, bytes, count) != 0) == 0;
}
