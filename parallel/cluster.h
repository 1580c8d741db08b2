/* SPDX-License-Identifier: MIT
 *
 * Several processes, on one machine or many, that train one model: ranks of an MPI job. A process that was not started as
 * one of several is rank 0 of 1, and nothing here costs anything; in a build without MPI that is all there is.
 *
 * Every rank calls the same functions in the same order, from one thread. */
#ifndef DOWNHILL_PARALLEL_CLUSTER_H
#define DOWNHILL_PARALLEL_CLUSTER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cluster {
    size_t rank, size;                 /* of all */
    size_t local_rank, local_size;     /* of those on this machine */
    const volatile sig_atomic_t *stop; /* a signal told this rank to end */
    const char *remedy;                /* for the message where another rank is lost; NULL: none */
} cluster;

/* Can this build run as more than one? */
bool cluster_supported(void);

/* Was this process started as one of several, as mpirun does it? One of one is none of several. */
bool cluster_is_wanted(void);

/* Joins the others. false, with a line printed: this build has no MPI, or it failed. */
bool cluster_join(cluster *c);

/* The last that a rank does. With a code other than 0 that not all have (`agreed` false) it ends the others. */
void cluster_leave(cluster *c, int code, bool agreed);

/* The part of n samples that is this rank's, in multiples of `unit`: *first and how many. */
size_t cluster_part(const cluster *c, size_t n, size_t unit, size_t *first);

/* Sums over all ranks of up to three arrays, the largest first, all under way at once. Sums of integers, and of f64 that are multiples of
 * one unit with room for the sum, are exact; of others the order is that of the MPI, and all ranks get the same
 * bits. Where another rank is gone, says so in a line and ends the process. */
typedef struct cluster_sum {
    int32_t *i32; /* one of the three */
    float *f32;
    double *f64;
    size_t count;
} cluster_sum;

void cluster_add_up(const cluster *c, const cluster_sum *sums, size_t count);

/* Everywhere what rank 0 has. */
void cluster_share(const cluster *c, void *bytes, size_t count);

/* The largest of all. */
int cluster_largest(const cluster *c, int value);

enum { CLUSTER_AGREE_MAX = 256 };

/* Do all ranks have these bytes, at most CLUSTER_AGREE_MAX? */
bool cluster_agree(const cluster *c, const void *bytes, size_t count);

#endif
