/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "ordered.h"

#include "base/clock.h"
#include "base/memory.h"
#include "part.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Samples of one worker between two barriers. Their bytes are still in L2 or L3 when all workers
 * read them again for the gradient; with fewer samples the weights are packed more often. */
enum { PART_BYTES = 2 << 20, PART_ROWS_MIN = 64, PART_ROWS_MAX = 512 };

/* Features of a worker's part of the gradient are a multiple of a cache line. */
enum { LINE_FLOATS = 16 };

/* Each has its own results, so that no thread overwrites what another still has to read. */
enum phase { SCORED, SUMMED, UPDATED, PHASES };

/* The part of one worker, of this rank or another. */
struct part {
    size_t n;      /* samples; after the hinge loss, those with a dscore that is not 0 */
    size_t *rows;  /* their row numbers, and those to prefetch */
    int32_t *y;    /* labels */
    float *scores; /* then the dscores, in the buffer of all parts */
    double loss;
    downhill_status result[PHASES];
};

struct ordered {
    const cluster *ranks; /* NULL: one process */
    size_t threads, workers, first_worker, d, c;
    size_t part_rows;          /* samples of a part at most */
    struct part *parts;        /* of all workers */
    float *scores;             /* workers · part_rows × c */
    float *columns;            /* with ranks: the gradient, one block of columns after the other */
    size_t *starts;            /* with ranks: where the share of each begins, and the end */
    downhill_status exchanged; /* with ranks: whether all have their dscores */
};

/* A call. */
struct job {
    const downhill_kernels *kernels;
    const downhill_batch_f32 *batch;
    const downhill_weights_f32 *weights;
    downhill_loss loss;
    const downhill_gradient_f32 *grad;
    const downhill_sgd *sgd;
    downhill_profile *profile; /* of the calling thread, or NULL */
    size_t first, n;           /* the samples between two barriers */
};

static size_t rank_of(const ordered *o)
{
    return o->ranks != NULL ? o->ranks->rank : 0;
}

static size_t n_ranks(const ordered *o)
{
    return o->ranks != NULL ? o->ranks->size : 1;
}

ordered *ordered_open(size_t threads, const cluster *ranks, size_t d, size_t c)
{
    ordered *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    *o = (ordered){.ranks = ranks, .threads = threads, .d = d, .c = c};
    o->workers = threads * n_ranks(o);
    o->first_worker = threads * rank_of(o);
    const size_t rows = PART_BYTES / sizeof(float) / d / PART_ROWS * PART_ROWS;
    o->part_rows =
        rows < PART_ROWS_MIN ? PART_ROWS_MIN : (rows > PART_ROWS_MAX ? PART_ROWS_MAX : rows);
    o->parts = calloc(o->workers, sizeof *o->parts);
    o->scores = memory_new(o->workers * o->part_rows * c, sizeof *o->scores);
    o->starts = calloc(n_ranks(o) + 1, sizeof *o->starts);
    bool good = o->parts != NULL && o->scores != NULL && o->starts != NULL;
    if (good && ranks != NULL)
        good = (o->columns = memory_new(c * d, sizeof *o->columns)) != NULL;
    for (size_t i = 0; good && i < o->workers; i++) {
        o->parts[i].rows = memory_new(2 * o->part_rows, sizeof *o->parts[i].rows);
        o->parts[i].y = memory_new(o->part_rows, sizeof *o->parts[i].y);
        good = o->parts[i].rows != NULL && o->parts[i].y != NULL;
    }
    if (!good) {
        ordered_close(o);
        return NULL;
    }
    return o;
}

void ordered_close(ordered *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; o->parts != NULL && i < o->workers; i++) {
        free(o->parts[i].rows);
        free(o->parts[i].y);
    }
    free(o->parts);
    free(o->scores);
    free(o->columns);
    free(o->starts);
    free(o);
}

/* Adds the time since *start to a counter of the calling thread, and starts again. */
static void charge(const struct job *job, size_t thread, uint64_t *ns, double *start)
{
    if (thread > 0 || job->profile == NULL)
        return;
    const double now = clock_seconds();
    *ns += (uint64_t)((now - *start) * 1e9);
    *start = now;
}

/* Looks up the samples of a worker's part, and the rows to prefetch: those that will take their
 * places. Returns how many of the latter there are. */
static size_t look_up(const ordered *o, const struct job *job, size_t worker)
{
    struct part *p = &o->parts[worker];
    const downhill_batch_f32 *batch = job->batch;
    const size_t own = part_start(job->n, PART_ROWS, worker, o->workers),
                 end = part_start(job->n, PART_ROWS, worker + 1, o->workers);
    p->n = end - own;
    p->scores = o->scores + own * o->c;
    const size_t all = batch->n + batch->n_next, next = job->first + own + job->n,
                 left = next < all ? all - next : 0, n_next = left < p->n ? left : p->n;
    for (size_t i = 0; i < p->n + n_next; i++) {
        const size_t at = i < p->n ? job->first + own + i : next + i - p->n;
        p->rows[i] = batch->rows != NULL ? batch->rows[at] : at;
        if (i < p->n)
            p->y[i] = p->rows[i] < batch->x_rows ? batch->y[p->rows[i]] : 0; /* refused below */
    }
    return n_next;
}

/* Moves the samples with a dscore other than 0 to the front, as the fused step does. */
static void drop_satisfied(const ordered *o, struct part *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        const float *from = p->scores + i * o->c;
        if (from[p->y[i]] == 0.0f)
            continue;
        if (kept < i) {
            memcpy(p->scores + kept * o->c, from, o->c * sizeof *from);
            p->rows[kept] = p->rows[i];
        }
        kept++;
    }
    p->n = kept;
}

/* Computes the dscores of a part of this rank. Ranks exchange all of them before any is dropped. */
static downhill_status score_part(const ordered *o, const struct job *job, size_t thread)
{
    struct part *p = &o->parts[o->first_worker + thread];
    downhill_profile unused = {0}, *profile = job->profile != NULL ? job->profile : &unused;
    double start = clock_seconds(), loss = 0.0;
    downhill_batch_f32 batch = *job->batch;
    batch.n_next = look_up(o, job, o->first_worker + thread);
    batch.n = p->n;
    batch.rows = p->rows;
    charge(job, thread, &profile->gather_ns, &start);
    if (p->n == 0)
        return DOWNHILL_OK;
    const downhill_matrix_f32 scores = {p->scores, o->c, p->n, o->c};
    downhill_status status = downhill_score_f32(job->kernels, &batch, job->weights, &scores);
    charge(job, thread, &profile->score_ns, &start);
    if (status == DOWNHILL_OK && job->loss.kind == DOWNHILL_HINGE)
        status = downhill_hinge_f32(job->kernels, &scores, p->y, job->loss.margin, &scores, &loss);
    else if (status == DOWNHILL_OK)
        status = downhill_softmax_f32(job->kernels, &scores, p->y, &scores, &loss);
    p->loss += loss;
    if (status == DOWNHILL_OK && job->loss.kind == DOWNHILL_HINGE && o->ranks == NULL)
        drop_satisfied(o, p);
    charge(job, thread, &profile->loss_ns, &start);
    return status;
}

/* Finishes the parts that a thread takes care of: its own, and those of the same thread of every
 * other rank, whose dscores have arrived. */
static void finish_parts(const ordered *o, const struct job *job, size_t thread)
{
    for (size_t worker = thread; worker < o->workers; worker += o->threads) {
        if (worker != o->first_worker + thread)
            look_up(o, job, worker);
        if (job->loss.kind == DOWNHILL_HINGE)
            drop_satisfied(o, &o->parts[worker]);
    }
}

/* Features of a worker's part of the gradient: first … end - 1. The last part, which is never
 * empty, includes the bias. */
struct range {
    size_t first, end;
    bool with_bias;
};

static struct range range_of(const ordered *o, size_t worker)
{
    return (struct range){part_start(o->d, LINE_FLOATS, worker, o->workers),
                          part_start(o->d, LINE_FLOATS, worker + 1, o->workers),
                          worker + 1 == o->workers};
}

static downhill_gradient_f32 columns_of(const downhill_gradient_f32 *grad, struct range of)
{
    return (downhill_gradient_f32){grad->dw + of.first, grad->lddw, of.with_bias ? grad->db : NULL,
                                   of.end - of.first, grad->c};
}

/* Sums the gradient over the parts of all workers, one after the other, for one worker's part of
 * the features. */
static downhill_status sum_columns(const ordered *o, const struct job *job, size_t thread)
{
    const struct range range = range_of(o, o->first_worker + thread);
    downhill_profile unused = {0}, *profile = job->profile != NULL ? job->profile : &unused;
    if (range.first == range.end)
        return DOWNHILL_OK;
    const downhill_gradient_f32 grad = columns_of(job->grad, range);
    double start = clock_seconds();
    int accumulate = job->first > 0;
    downhill_status status = DOWNHILL_OK;
    for (size_t w = 0; w < o->workers && status == DOWNHILL_OK; w++) {
        const struct part *p = &o->parts[w];
        if (p->n == 0)
            continue;
        downhill_batch_f32 batch = *job->batch;
        batch.x += range.first;
        batch.y = NULL;
        batch.rows = p->rows;
        batch.n = p->n;
        batch.n_next = 0;
        const downhill_matrix_f32 dscores = {p->scores, o->c, p->n, o->c};
        status = downhill_grad_f32(job->kernels, &batch, &dscores, accumulate, &grad);
        accumulate = 1;
    }
    for (size_t j = 0; !accumulate && j < o->c; j++) { /* no sample has a gradient */
        memset(grad.dw + j * grad.lddw, 0, grad.d * sizeof *grad.dw);
        if (grad.db != NULL)
            grad.db[j] = 0.0f;
    }
    charge(job, thread, &profile->grad_ns, &start);
    return status;
}

/* Updates a thread's part of the weights. */
static downhill_status update_columns(const ordered *o, const struct job *job, size_t thread)
{
    const struct range range = {part_start(o->d, LINE_FLOATS, thread, o->threads),
                                part_start(o->d, LINE_FLOATS, thread + 1, o->threads),
                                thread + 1 == o->threads};
    downhill_profile unused = {0}, *profile = job->profile != NULL ? job->profile : &unused;
    if (range.first == range.end)
        return DOWNHILL_OK;
    const downhill_weights_f32 *w = job->weights;
    const downhill_weights_f32 weights = {w->w + range.first, w->ldw, range.with_bias ? w->b : NULL,
                                          range.end - range.first, w->c};
    const downhill_gradient_f32 grad = columns_of(job->grad, range);
    double start = clock_seconds();
    const downhill_status status =
        downhill_update_f32(job->kernels, &weights, &grad, job->batch->n, job->sgd);
    charge(job, thread, &profile->update_ns, &start);
    return status;
}

static downhill_status first_error(const ordered *o, enum phase phase)
{
    for (size_t i = 0; i < o->threads; i++)
        if (o->parts[o->first_worker + i].result[phase] != DOWNHILL_OK)
            return o->parts[o->first_worker + i].result[phase];
    return DOWNHILL_OK;
}

/* Exchanges the dscores of all ranks. */
static void gather_dscores(const ordered *o, const struct job *job)
{
    for (size_t r = 0; r <= n_ranks(o); r++)
        o->starts[r] = part_start(job->n, PART_ROWS, r * o->threads, o->workers);
    cluster_gather(o->ranks, o->scores, o->c, o->starts);
}

/* Copies the columns of a rank's share between the gradient and the block that is exchanged. */
static void copy_share(const ordered *o, const downhill_gradient_f32 *grad, size_t rank, bool out)
{
    const size_t first = o->starts[rank], count = o->starts[rank + 1] - first;
    for (size_t j = 0; j < o->c; j++) {
        float *block = o->columns + first * o->c + j * count,
              *dw = grad->dw + j * grad->lddw + first;
        memcpy(out ? block : dw, out ? dw : block, count * sizeof *dw);
    }
}

/* Exchanges the parts of the gradient. */
static void gather_gradient(const ordered *o, const downhill_gradient_f32 *grad)
{
    const size_t own = rank_of(o), last = n_ranks(o) - 1;
    for (size_t r = 0; r <= n_ranks(o); r++)
        o->starts[r] = part_start(o->d, LINE_FLOATS, r * o->threads, o->workers);
    copy_share(o, grad, own, true);
    cluster_gather(o->ranks, o->columns, o->c, o->starts);
    for (size_t r = 0; r <= last; r++)
        if (r != own)
            copy_share(o, grad, r, false);
    for (size_t r = 0; grad->db != NULL && r <= n_ranks(o); r++)
        o->starts[r] = r <= last ? 0 : 1; /* all of it is the last rank's */
    if (grad->db != NULL)
        cluster_gather(o->ranks, grad->db, o->c, o->starts);
}

static downhill_status check(const ordered *o, const struct job *job)
{
    if (job->weights->d != o->d || job->weights->c != o->c || job->grad->d != o->d ||
        job->grad->c != o->c || job->batch->n == 0)
        return DOWNHILL_ERR_SIZE;
    if (job->batch->y == NULL)
        return DOWNHILL_ERR_NULL;
    if (job->loss.kind != DOWNHILL_HINGE && job->loss.kind != DOWNHILL_SOFTMAX)
        return DOWNHILL_ERR_PARAMETER;
    return DOWNHILL_OK;
}

/* Agrees with the other ranks on the status of the scores, and exchanges the dscores. */
static downhill_status exchange(const ordered *o, const struct job *job, downhill_status own)
{
    if (cluster_largest(o->ranks, (int)own) != DOWNHILL_OK)
        return own != DOWNHILL_OK ? own : DOWNHILL_ERR_WORKSPACE;
    gather_dscores(o, job);
    return DOWNHILL_OK;
}

/* Adds the gradient of the samples of a job. Every thread of a parallel region calls it, with a job
 * of its own. The first one is the thread that may call MPI. */
static downhill_status add_samples(ordered *o, const struct job *job)
{
#pragma omp for schedule(static, 1)
    for (size_t i = 0; i < o->threads; i++)
        o->parts[o->first_worker + i].result[SCORED] = score_part(o, job, i);
    downhill_status status = first_error(o, SCORED);
    if (o->ranks != NULL) {
#pragma omp master
        o->exchanged = exchange(o, job, status);
#pragma omp barrier
        status = o->exchanged;
#pragma omp for schedule(static, 1)
        for (size_t i = 0; i < o->threads; i++)
            if (status == DOWNHILL_OK)
                finish_parts(o, job, i);
    }
#pragma omp for schedule(static, 1)
    for (size_t i = 0; i < o->threads; i++)
        o->parts[o->first_worker + i].result[SUMMED] =
            status == DOWNHILL_OK ? sum_columns(o, job, i) : status;
    return first_error(o, SUMMED);
}

/* Runs a whole call: blocks of samples, then the update. Every thread calls it. */
static void run(ordered *o, const struct job *whole)
{
    struct job job = *whole;
    downhill_status status = DOWNHILL_OK;
    const size_t at_once = o->part_rows * o->workers;
    for (; job.first < job.batch->n && status == DOWNHILL_OK; job.first += job.n) {
        job.n = job.batch->n - job.first < at_once ? job.batch->n - job.first : at_once;
        status = add_samples(o, &job);
    }
    if (status == DOWNHILL_OK && o->ranks != NULL) {
#pragma omp master
        gather_gradient(o, job.grad);
#pragma omp barrier
    }
#pragma omp for schedule(static, 1)
    for (size_t i = 0; i < o->threads; i++)
        o->parts[o->first_worker + i].result[UPDATED] =
            status == DOWNHILL_OK && job.sgd != NULL ? update_columns(o, &job, i) : status;
}

downhill_status ordered_step_f32(ordered *o, const downhill_kernels *kernels,
                                 const downhill_batch_f32 *batch,
                                 const downhill_weights_f32 *weights, downhill_loss loss,
                                 const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
                                 double *loss_sum, downhill_profile *profile)
{
    const struct job job = {.kernels = kernels,
                            .batch = batch,
                            .weights = weights,
                            .loss = loss,
                            .grad = grad,
                            .sgd = sgd,
                            .profile = profile};
    downhill_status status = check(o, &job);
    if (status != DOWNHILL_OK)
        return status;
    for (size_t i = 0; i < o->threads; i++)
        o->parts[o->first_worker + i].loss = 0.0;
#pragma omp parallel num_threads((int)o->threads) if (o->threads > 1)
    run(o, &job);
    status = first_error(o, UPDATED);
    double sum = 0.0;
    for (size_t i = 0; i < o->threads; i++)
        sum += o->parts[o->first_worker + i].loss;
    if (status == DOWNHILL_OK && loss_sum != NULL)
        *loss_sum = sum;
    return status;
}
