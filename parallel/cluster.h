/* SPDX-License-Identifier: MIT
 *
 * Training of one model by several processes, on one machine or many: the ranks of an MPI job. A
 * process that was not started as one of several is rank 0 of 1, and the functions then cost
 * nothing. A build without MPI supports only that.
 *
 * Every rank must call the same functions in the same order, from one thread. */
#ifndef DOWNHILL_PARALLEL_CLUSTER_H
#define DOWNHILL_PARALLEL_CLUSTER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cluster {
    size_t rank, size;                 /* among all ranks */
    size_t local_rank, local_size;     /* among the ranks on this machine */
    const volatile sig_atomic_t *stop; /* not 0 once a signal told this rank to end */
    /* ends the message when another rank is lost; NULL: none */
    const char *remedy;
} cluster;

/* Returns whether this build can run as several processes. */
bool cluster_supported(void);

/* Returns whether this process was started as one of several, for example by mpirun. A single
 * process started by mpirun does not count. */
bool cluster_is_wanted(void);

/* Joins the other ranks. Prints a line and returns false if this build has no MPI or if MPI
 * failed. */
bool cluster_join(cluster *c);

/* Leaves the cluster; the last call of a rank. With a code other than 0 that not all ranks have
 * (`agreed` false) it ends the other ranks. */
void cluster_leave(cluster *c, int code, bool agreed);

/* Returns the size of this rank's part of n samples, a multiple of `unit` except at the end; its
 * first sample is *first. */
size_t cluster_part(const cluster *c, size_t n, size_t unit, size_t *first);

/* One of the arrays that cluster_add_up() sums over all ranks. */
typedef struct cluster_sum {
    int32_t *i32; /* one of the three is not NULL */
    float *f32;
    double *f64;
    size_t count;
} cluster_sum;

/* Sums up to three arrays over all ranks, all at the same time; the largest should come first. Sums
 * of integers, and of f64 that are multiples of one power of two and cannot overflow its
 * significand, are exact. The order of other sums is up to MPI, but all ranks get the same bits. If
 * another rank is gone, prints a line and ends the process. */
void cluster_add_up(const cluster *c, const cluster_sum *sums, size_t count);

/* Gives all ranks the whole of an array of which each has a share: rank r has the elements from
 * starts[r] to starts[r + 1] - 1, of `width` values each. */
void cluster_gather(const cluster *c, float *values, size_t width, const size_t *starts);

/* Copies the bytes of rank 0 to all ranks. */
void cluster_share(const cluster *c, void *bytes, size_t count);

/* Returns the maximum over all ranks. */
int cluster_largest(const cluster *c, int value);

enum { CLUSTER_AGREE_MAX = 256 };

/* Returns whether all ranks have the same bytes, at most CLUSTER_AGREE_MAX. */
bool cluster_agree(const cluster *c, const void *bytes, size_t count);

#endif
