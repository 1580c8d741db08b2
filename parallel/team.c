/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "team.h"

#include "base/clock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "ordered.h"
#include "part.h"
#include "together.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Buffers and result of one thread. */
struct member {
    downhill_gradient_f32 grad;
    downhill_gradient_u8 sums;
    downhill_gradient_f64 totals; /* of batches that need f64; dw is NULL before the first */
    downhill_workspace workspace;
    part_rows rows;
    double loss;
    downhill_status status;
    size_t n; /* samples of its part; 0: it has no gradient */
};

struct team {
    size_t threads, workspace_bytes;
    size_t d, c, ld;
    struct ordered *ordered; /* NULL before the first use */
    bool in_f64;             /* the last gradient of bytes is in the totals */
    struct member *members;
};

/* Floats per cache line. A row of a gradient takes an odd number of lines, so that rows do not
 * alias in the cache. */
enum { LINE_FLOATS = 16 };

bool team_supported(void)
{
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

static bool member_open(struct member *m, const team *t)
{
    m->workspace = (downhill_workspace){memory_new(t->workspace_bytes, 1), t->workspace_bytes};
    m->grad = (downhill_gradient_f32){memory_new(t->c * t->ld, sizeof(float)), t->ld,
                                      memory_new(t->c, sizeof(float)), t->d, t->c};
    m->sums = (downhill_gradient_u8){memory_new(t->c * t->ld, sizeof(int32_t)), t->ld,
                                     memory_new(t->c, sizeof(int32_t)), t->d, t->c};
    return m->workspace.memory != NULL && m->grad.dw != NULL && m->grad.db != NULL &&
           m->sums.dw != NULL && m->sums.db != NULL;
}

team *team_open(size_t threads, const int *cpus, size_t d, size_t c, char *why, size_t why_size)
{
    if (why_size > 0)
        why[0] = '\0';
    if (!together_granted(threads, why, why_size))
        return NULL;
    team *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    *t = (team){.threads = threads, .d = d, .c = c};
    const size_t f32 = downhill_workspace_f32_bytes(d, c), u8 = downhill_workspace_u8_bytes(d, c);
    t->workspace_bytes = f32 > u8 ? f32 : u8;
    t->ld = ((d + LINE_FLOATS - 1) / LINE_FLOATS | 1) * LINE_FLOATS;
    t->members = calloc(threads, sizeof *t->members);
    /* Check before the threads start: each begins the reduction below with true. */
    if (t->members == NULL || f32 == 0) {
        team_close(t);
        return NULL;
    }
    machine_binding *binding = machine_binding_open();
    bool good = true;
    size_t unbound = 0;
#pragma omp parallel for num_threads((int)threads) schedule(static, 1) reduction(&& : good)        \
    reduction(+ : unbound) if (threads > 1)
    for (size_t i = 0; i < threads; i++) {
        if (cpus != NULL && cpus[i] >= 0 && !machine_bind(binding, cpus[i]))
            unbound++;
        good = good && member_open(&t->members[i], t);
    }
    machine_binding_close(binding);
    if (unbound > 0)
        snprintf(why, why_size, "%zu of %zu threads could not be bound to a CPU", unbound, threads);
    if (!good) {
        team_close(t);
        return NULL;
    }
    return t;
}

void team_close(team *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; t->members != NULL && i < t->threads; i++) {
        free(t->members[i].workspace.memory);
        free(t->members[i].rows.rows);
        free(t->members[i].grad.dw);
        free(t->members[i].grad.db);
        free(t->members[i].sums.dw);
        free(t->members[i].sums.db);
        free(t->members[i].totals.dw);
        free(t->members[i].totals.db);
    }
    free(t->members);
    ordered_close(t->ordered);
    free(t);
}

struct ordered *team_ordered(team *t)
{
    if (t->ordered == NULL)
        t->ordered = ordered_open(t->threads, NULL, t->d, t->c);
    return t->ordered;
}

/* Sets the part of a member. The calling thread is member 0 and takes the last part, which is never
 * empty; the gradients of the others are added to its own. *own_next is the number of row numbers
 * after the first m->n in m->rows.rows, which belong to the next batch. */
static downhill_status take_part(const team *t, size_t i, const size_t *rows, size_t n,
                                 size_t n_next, size_t *own_next)
{
    struct member *m = &t->members[i];
    const size_t part = t->threads - 1 - i, first = part_start(n, PART_ROWS, part, t->threads);
    m->n = part_start(n, PART_ROWS, part + 1, t->threads) - first;
    m->loss = 0.0;
    *own_next = m->n > 0 ? part_rows_take(&m->rows, first, m->n, rows, n, n_next) : 0;
    return *own_next != SIZE_MAX ? DOWNHILL_OK : DOWNHILL_ERR_WORKSPACE;
}

/* Computes loss and gradient of one member's part of the batch. */
static void work(const team *t, size_t i, const downhill_kernels *kernels,
                 const downhill_batch_f32 *batch, const downhill_weights_f32 *weights,
                 downhill_loss loss, const downhill_gradient_f32 *grad, downhill_profile *profile)
{
    struct member *m = &t->members[i];
    downhill_batch_f32 own = *batch;
    m->status = take_part(t, i, batch->rows, batch->n, batch->n_next, &own.n_next);
    if (m->status != DOWNHILL_OK || m->n == 0)
        return;
    own.rows = m->rows.rows;
    own.n = m->n;
    m->status = downhill_loss_grad_f32(kernels, &own, weights, loss, i == 0 ? grad : &m->grad,
                                       &m->loss, &m->workspace, i == 0 ? profile : NULL);
}

/* Returns columns first ... end - 1 of the weights. */
static downhill_weights_f32 columns(const downhill_weights_f32 *all, size_t first, size_t end,
                                    bool with_bias)
{
    return (downhill_weights_f32){all->w + first, all->ldw, with_bias ? all->b : NULL, end - first,
                                  all->c};
}

/* Returns columns of a gradient in the form that downhill_axpby_f32() takes. */
static downhill_weights_f32 columns_of_gradient(const downhill_gradient_f32 *grad, size_t first,
                                                size_t end, bool with_bias)
{
    const downhill_weights_f32 all = {grad->dw, grad->lddw, grad->db, grad->d, grad->c};
    return columns(&all, first, end, with_bias);
}

/* Sums the gradients of all members for one member's part of the features and, unless sgd is NULL,
 * updates the weights by it. n is the number of samples in the batch. The last part, which is never
 * empty, includes the bias. */
static downhill_status finish(const team *t, size_t i, const downhill_kernels *kernels,
                              const downhill_weights_f32 *weights, size_t n,
                              const downhill_sgd *sgd, const downhill_gradient_f32 *grad)
{
    const size_t first = part_start(t->d, LINE_FLOATS, i, t->threads);
    const size_t end = part_start(t->d, LINE_FLOATS, i + 1, t->threads);
    if (first == end)
        return DOWNHILL_OK;
    const bool with_bias = i + 1 == t->threads;
    const downhill_weights_f32 sum = columns_of_gradient(grad, first, end, with_bias);
    downhill_status status = DOWNHILL_OK;
    for (size_t m = 1; m < t->threads && status == DOWNHILL_OK; m++) {
        const downhill_weights_f32 own =
            columns_of_gradient(&t->members[m].grad, first, end, with_bias);
        if (t->members[m].n > 0)
            status = downhill_axpby_f32(kernels, 1.0f, &own, 1.0f, &sum);
    }
    if (status != DOWNHILL_OK || sgd == NULL)
        return status;
    const downhill_weights_f32 w = columns(weights, first, end, with_bias);
    const downhill_gradient_f32 dw = {sum.w, sum.ldw, sum.b, sum.d, sum.c};
    return downhill_update_f32(kernels, &w, &dw, n, sgd);
}

/* Returns whether the factors of the update are finite. Checked in advance: no member may fail
 * after another has changed its part of the weights. */
static bool can_update(const downhill_sgd *sgd, size_t n)
{
    return isfinite(1.0f - sgd->learning_rate * sgd->weight_decay) &&
           isfinite(sgd->learning_rate / (float)n);
}

static double sum_of_losses(const team *t)
{
    double sum = 0.0;
    for (size_t i = 0; i < t->threads; i++)
        sum += t->members[i].loss;
    return sum;
}

static downhill_status first_error(const team *t)
{
    for (size_t i = 0; i < t->threads; i++)
        if (t->members[i].status != DOWNHILL_OK)
            return t->members[i].status;
    return DOWNHILL_OK;
}

/* Computes loss and gradient, and updates the weights unless sgd is NULL. */
static downhill_status run_f32(team *t, const downhill_kernels *kernels,
                               const downhill_batch_f32 *batch, const downhill_weights_f32 *weights,
                               downhill_loss loss, const downhill_sgd *sgd,
                               const downhill_gradient_f32 *grad, double *loss_sum,
                               downhill_profile *profile)
{
    if (weights->d != t->d || weights->c != t->c || grad->d != t->d || grad->c != t->c ||
        batch->n == 0)
        return DOWNHILL_ERR_SIZE;
    if (sgd != NULL && !can_update(sgd, batch->n))
        return DOWNHILL_ERR_PARAMETER;
#pragma omp parallel num_threads((int)t->threads)
    {
#pragma omp for schedule(static, 1)
        for (size_t i = 0; i < t->threads; i++)
            work(t, i, kernels, batch, weights, loss, grad, profile);
        /* The barrier that ends the loop: all gradients are complete. The second barrier makes sure
         * that all threads have read the statuses before they are overwritten. */
        const downhill_status status = first_error(t);
#pragma omp barrier
#pragma omp for schedule(static, 1)
        for (size_t i = 0; i < t->threads; i++)
            if (status == DOWNHILL_OK)
                t->members[i].status = finish(t, i, kernels, weights, batch->n, sgd, grad);
    }
    const downhill_status status = first_error(t);
    if (status == DOWNHILL_OK && loss_sum != NULL)
        *loss_sum = sum_of_losses(t);
    return status;
}

downhill_status team_step_f32(team *t, const downhill_kernels *kernels,
                              const downhill_batch_f32 *batch, const downhill_weights_f32 *weights,
                              const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
                              double *loss_sum, downhill_profile *profile)
{
    if (t->threads == 1)
        return downhill_step_f32(kernels, batch, weights, sgd, grad, loss_sum,
                                 &t->members[0].workspace, profile);
    return run_f32(t, kernels, batch, weights, sgd->loss, sgd, grad, loss_sum, profile);
}

downhill_status team_loss_grad_f32(team *t, const downhill_kernels *kernels,
                                   const downhill_batch_f32 *batch,
                                   const downhill_weights_f32 *weights, downhill_loss loss,
                                   const downhill_gradient_f32 *grad, double *loss_sum,
                                   downhill_profile *profile)
{
    if (t->threads == 1)
        return downhill_loss_grad_f32(kernels, batch, weights, loss, grad, loss_sum,
                                      &t->members[0].workspace, profile);
    return run_f32(t, kernels, batch, weights, loss, NULL, grad, loss_sum, profile);
}

/* ---- bytes ---- */

/* Returns whether 32 bits hold the gradient of n samples. */
static bool fits_i32(const team *t, downhill_loss loss, size_t n)
{
    if (loss.kind == DOWNHILL_SOFTMAX)
        return n <= DOWNHILL_U8_SOFTMAX_N_MAX;
    return t->c == 1 || n <= DOWNHILL_U8_NC_MAX / (t->c - 1);
}

/* Allocates the totals of a member unless it has them. Called by the thread that uses them. */
static bool totals_open(const team *t, struct member *m)
{
    if (m->totals.dw == NULL)
        m->totals = (downhill_gradient_f64){memory_new(t->c * t->ld, sizeof(double)), t->ld,
                                            memory_new(t->c, sizeof(double)), t->d, t->c};
    return m->totals.dw != NULL && m->totals.db != NULL;
}

/* Computes loss and gradient of one member's part of a batch, in the totals if t->in_f64. */
static downhill_status loss_grad_u8(const team *t, struct member *m,
                                    const downhill_kernels *kernels, const downhill_batch_u8 *batch,
                                    const downhill_packed_u8 *packed, downhill_loss loss,
                                    downhill_profile *profile)
{
    if (!t->in_f64)
        return downhill_loss_grad_u8(kernels, batch, packed, loss, &m->sums, &m->loss,
                                     &m->workspace, profile);
    if (!totals_open(t, m))
        return DOWNHILL_ERR_WORKSPACE;
    return downhill_loss_grad_u8_f64(kernels, batch, packed, loss, &m->totals, &m->loss,
                                     &m->workspace, profile);
}

static void work_u8(const team *t, size_t i, const downhill_kernels *kernels,
                    const downhill_batch_u8 *batch, const downhill_packed_u8 *packed,
                    downhill_loss loss, downhill_profile *profile)
{
    struct member *m = &t->members[i];
    downhill_batch_u8 own = *batch;
    m->status = take_part(t, i, batch->rows, batch->n, batch->n_next, &own.n_next);
    if (m->status != DOWNHILL_OK || m->n == 0)
        return;
    own.rows = m->rows.rows;
    own.n = m->n;
    m->status = loss_grad_u8(t, m, kernels, &own, packed, loss, i == 0 ? profile : NULL);
}

static void add_i32(size_t count, const int32_t *restrict from, int32_t *restrict to)
{
    for (size_t k = 0; k < count; k++)
        to[k] += from[k];
}

static void add_f64(size_t count, const double *restrict from, double *restrict to)
{
    for (size_t k = 0; k < count; k++)
        to[k] += from[k];
}

/* Adds the sums of member m to those of member 0, for features first … first + count - 1. */
static void add_member(const team *t, size_t m, size_t first, size_t count, bool with_bias)
{
    const struct member *own = &t->members[m], *all = &t->members[0];
    for (size_t j = 0; j < t->c; j++) {
        const size_t at = j * t->ld + first;
        if (t->in_f64)
            add_f64(count, own->totals.dw + at, all->totals.dw + at);
        else
            add_i32(count, own->sums.dw + at, all->sums.dw + at);
    }
    if (with_bias && t->in_f64)
        add_f64(t->c, own->totals.db, all->totals.db);
    else if (with_bias)
        add_i32(t->c, own->sums.db, all->sums.db);
}

/* Adds the sums of the other members to those of member 0, for one member's part of the features.
 * The last part includes the sums of the dscores. */
static void add_sums(const team *t, size_t i)
{
    const size_t first = part_start(t->d, LINE_FLOATS, i, t->threads);
    const size_t end = part_start(t->d, LINE_FLOATS, i + 1, t->threads);
    for (size_t m = 1; m < t->threads; m++)
        if (t->members[m].n > 0)
            add_member(t, m, first, end - first, i + 1 == t->threads);
}

downhill_status team_loss_grad_u8(team *t, const downhill_kernels *kernels,
                                  const downhill_batch_u8 *batch, size_t n_all,
                                  const downhill_packed_u8 *packed, downhill_loss loss,
                                  double *loss_sum, downhill_profile *profile)
{
    if (batch->n == 0)
        return DOWNHILL_ERR_SIZE;
    team_choose_sums_u8(t, n_all, loss);
    if (t->threads == 1) {
        struct member *only = &t->members[0];
        const downhill_status status = loss_grad_u8(t, only, kernels, batch, packed, loss, profile);
        if (status == DOWNHILL_OK && loss_sum != NULL)
            *loss_sum = only->loss;
        return status;
    }
#pragma omp parallel num_threads((int)t->threads)
    {
#pragma omp for schedule(static, 1)
        for (size_t i = 0; i < t->threads; i++)
            work_u8(t, i, kernels, batch, packed, loss, profile);
        /* After an error a member may have no sums. */
        if (first_error(t) == DOWNHILL_OK) {
#pragma omp for schedule(static, 1)
            for (size_t i = 0; i < t->threads; i++)
                add_sums(t, i);
        }
    }
    const downhill_status status = first_error(t);
    if (status == DOWNHILL_OK && loss_sum != NULL)
        *loss_sum = sum_of_losses(t);
    return status;
}

bool team_reserve_f64(team *t)
{
    bool good = true;
    for (size_t i = 0; i < t->threads; i++)
        good = totals_open(t, &t->members[i]) && good;
    return good;
}

void team_choose_sums_u8(team *t, size_t n_all, downhill_loss loss)
{
    t->in_f64 = !fits_i32(t, loss, n_all);
}

void team_clear_gradient_u8(team *t)
{
    struct member *first = &t->members[0];
    if (t->in_f64) {
        memset(first->totals.dw, 0, t->c * t->ld * sizeof *first->totals.dw);
        memset(first->totals.db, 0, t->c * sizeof *first->totals.db);
    } else {
        memset(first->sums.dw, 0, t->c * t->ld * sizeof *first->sums.dw);
        memset(first->sums.db, 0, t->c * sizeof *first->sums.db);
    }
}

team_sums team_gradient_u8(const team *t)
{
    const struct member *first = &t->members[0];
    return t->in_f64 ? (team_sums){.f64 = &first->totals} : (team_sums){.i32 = &first->sums};
}

downhill_status team_step_u8(team *t, const downhill_kernels *kernels,
                             const downhill_batch_u8 *batch, const downhill_weights_f32 *weights,
                             downhill_packed_u8 *packed, const downhill_sgd *sgd, double *loss_sum,
                             downhill_profile *profile)
{
    if (t->threads == 1)
        return downhill_step_u8(kernels, batch, weights, packed, sgd, loss_sum,
                                &t->members[0].workspace, profile);
    if (weights->d != t->d || weights->c != t->c || batch->n == 0)
        return DOWNHILL_ERR_SIZE;
    if (!can_update(sgd, batch->n))
        return DOWNHILL_ERR_PARAMETER;
    double loss;
    downhill_status status =
        team_loss_grad_u8(t, kernels, batch, batch->n, packed, sgd->loss, &loss, profile);
    const double start = clock_seconds();
    if (status == DOWNHILL_OK)
        status = team_update_u8(t, kernels, weights, packed, batch->n, sgd);
    if (profile != NULL)
        profile->update_ns += (uint64_t)((clock_seconds() - start) * 1e9);
    if (status == DOWNHILL_OK && loss_sum != NULL)
        *loss_sum = loss;
    return status;
}

downhill_status team_update_u8(const team *t, const downhill_kernels *kernels,
                               const downhill_weights_f32 *weights, downhill_packed_u8 *packed,
                               size_t n, const downhill_sgd *sgd)
{
    const struct member *first = &t->members[0];
    return t->in_f64 ? downhill_update_u8_f64(kernels, weights, packed, &first->totals, n, sgd)
                     : downhill_update_u8(kernels, weights, packed, &first->sums, n, sgd);
}
