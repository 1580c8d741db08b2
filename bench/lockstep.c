/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lockstep.h"

#include "base/clock.h"
#include "base/rng.h"
#include "task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Builds that compute the same may sum in another order. A larger difference of results, relative
 * to the largest one, means that they compute different things. */
static const double difference_max = 1e-3;

static const char *const names[LOCKSTEP_BUILDS] = {"old", "new"};

bool lockstep_has(bench_kernel kernel)
{
    return kernel != BENCH_pack_f32 && kernel != BENCH_pack_bf16 && kernel != BENCH_read_u8 &&
           kernel != BENCH_read_shuffled_u8 && !bench_has_traits(kernel, BENCH_TRAIT_TEAM);
}

/* ---- results of a call ---- */

/* The buffers that a call may write. The first of those on bytes follows the last of the others. */
enum { SCORES, DSCORES, DW, DB, W, B, U8_SCORES, U8_DSCORES, U8_SUMS, U8_SUMS_B, U8_W, U8_B };
enum { OUTPUTS_MAX = U8_B + 1 };

struct outputs {
    size_t count;
    struct output {
        enum { OUTPUT_F32, OUTPUT_F64, OUTPUT_I16, OUTPUT_I32 } type;
        void *values;
        size_t n;
        void *copy;
    } of[OUTPUTS_MAX];
};

static struct outputs outputs_of(const workload *l)
{
    const size_t nc = l->n * l->c, dc = l->d * l->c;
    struct outputs o = {
        .count = U8_SCORES,
        .of = {{OUTPUT_F32, l->scores, nc, NULL},
               {OUTPUT_F32, l->dscores, nc, NULL},
               {OUTPUT_F32, l->dw, dc, NULL},
               {OUTPUT_F32, l->db, l->c, NULL},
               {OUTPUT_F32, l->w, dc, NULL},
               {OUTPUT_F32, l->b, l->c, NULL}},
    };
    const workload_u8 *u = &l->u8;
    const struct output bytes[] = {
        {OUTPUT_F64, u->scores, nc, NULL}, {OUTPUT_I16, u->dscores, nc, NULL},
        {OUTPUT_I32, u->sums, dc, NULL},   {OUTPUT_I32, u->sums_b, l->c, NULL},
        {OUTPUT_F32, u->w, dc, NULL},      {OUTPUT_F32, u->b, l->c, NULL}};
    /* A shape beyond the bounds of the kernels on bytes has no buffers for them. */
    for (size_t i = 0; u->workspace.bytes != 0 && i < sizeof bytes / sizeof bytes[0]; i++)
        o.of[o.count++] = bytes[i];
    return o;
}

static size_t size_of(const struct output *o)
{
    static const size_t sizes[] = {
        [OUTPUT_F32] = 4, [OUTPUT_F64] = 8, [OUTPUT_I16] = 2, [OUTPUT_I32] = 4};
    return o->n * sizes[o->type];
}

static bool copy_outputs(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        struct output *o = &outputs->of[i];
        o->copy = malloc(size_of(o));
        if (o->copy == NULL)
            return false;
        memcpy(o->copy, o->values, size_of(o));
    }
    return true;
}

static double value_at(const struct output *o, const void *values, size_t i)
{
    switch (o->type) {
    case OUTPUT_F32:
        return (double)((const float *)values)[i];
    case OUTPUT_F64:
        return ((const double *)values)[i];
    case OUTPUT_I16:
        return ((const int16_t *)values)[i];
    case OUTPUT_I32:
        return ((const int32_t *)values)[i];
    }
    return 0.0;
}

/* Returns the largest difference between the buffers and their copies, relative to the largest
 * number of the buffer; infinity if a number is not finite. */
static double difference_of(const struct outputs *outputs)
{
    double worst = 0.0;
    for (size_t b = 0; b < outputs->count; b++) {
        const struct output *o = &outputs->of[b];
        double difference = 0.0, largest = 0.0;
        if (memcmp(o->copy, o->values, size_of(o)) == 0)
            continue;
        for (size_t i = 0; i < o->n; i++) {
            const double x = value_at(o, o->copy, i), y = value_at(o, o->values, i);
            if (!isfinite(x) || !isfinite(y))
                return INFINITY;
            difference = fmax(difference, fabs(x - y));
            largest = fmax(largest, fmax(fabs(x), fabs(y)));
        }
        if (difference > 0.0)
            worst = fmax(worst, difference / largest);
    }
    return worst;
}

/* Overwrites what a call of the kernel must write, so that a build that writes nothing shows. A step
 * on bytes leaves no trace: with learning rate 0 its weights stay the same, and its sums are its
 * own. */
static void overwrite(const struct outputs *outputs, bench_kernel kernel)
{
    const char *name = bench_kernels[kernel].name;
    const bool bytes = bench_kernels[kernel].element == ELEMENT_U8;
    size_t first = bytes ? U8_SCORES : SCORES, count = 1;
    if (strncmp(name, "hinge", 5) == 0 || strncmp(name, "softmax", 7) == 0) {
        first = bytes ? U8_DSCORES : DSCORES;
    } else if (strncmp(name, "score", 5) != 0) {
        if (strncmp(name, "update", 6) == 0 || (bytes && strncmp(name, "grad", 4) != 0))
            return;
        first = bytes ? U8_SUMS : DW;
        count = 2;
    }
    for (size_t i = first; i < first + count && i < outputs->count; i++)
        memset(outputs->of[i].values, 0xFF, size_of(&outputs->of[i]));
}

static void restore(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->of[i].copy != NULL)
            memcpy(outputs->of[i].values, outputs->of[i].copy, size_of(&outputs->of[i]));
}

static void free_copies(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        free(outputs->of[i].copy);
}

/* ---- timing ---- */

/* Runs `calls` calls of a build. Returns the nanoseconds per call. */
static double run_slice(bench_task *task, const caller *by, uint64_t calls)
{
    task->by = *by;
    const double start = clock_seconds();
    bench_task_run(task, calls);
    return (clock_seconds() - start) * 1e9 / (double)calls;
}

/* Calls both builds once and compares their results. Returns false if out of memory; sets
 * result->skipped if the row cannot be timed. */
static bool try_both(bench_task *task, const caller by[LOCKSTEP_BUILDS], lockstep_result *result)
{
    struct outputs outputs = outputs_of(&task->loads[0]);
    bool good = true;
    for (int b = 0; b < LOCKSTEP_BUILDS && good && result->skipped[0] == '\0'; b++) {
        task->turn = 0;
        overwrite(&outputs, task->kernel);
        run_slice(task, &by[b], 1);
        if (task->status != DOWNHILL_OK)
            snprintf(result->skipped, sizeof result->skipped, "%s: %s", names[b],
                     downhill_status_text(task->status));
        else if (b == LOCKSTEP_OLD)
            good = copy_outputs(&outputs);
        else
            result->difference = difference_of(&outputs);
    }
    restore(&outputs); /* of a new build that is wrong, other rows must not read the results */
    free_copies(&outputs);
    if (!(result->difference <= difference_max))
        snprintf(result->skipped, sizeof result->skipped,
                 "the results of old and new differ by %.2g of the largest; one of them is wrong, "
                 "or they were built from different headers",
                 result->difference);
    return good;
}

/* Finds the calls per slice, and warms up both builds. The shortest of several runs counts: the
 * first ones touch new pages, and an interrupt may make any of them too long. */
static uint64_t calibrate(const lockstep *l, bench_task *task, const caller by[LOCKSTEP_BUILDS])
{
    enum { RUNS = 4 };
    uint64_t calls = 1;
    while (*l->stop == 0) {
        double shortest_s = INFINITY;
        for (int run = 0; run < RUNS; run++) {
            double both_s = 0.0;
            for (int b = 0; b < LOCKSTEP_BUILDS; b++)
                both_s += run_slice(task, &by[b], calls) * (double)calls * 1e-9;
            shortest_s = fmin(shortest_s, both_s / LOCKSTEP_BUILDS);
        }
        if (shortest_s > 0.25 * l->slice_s) {
            const double wanted = (double)calls * l->slice_s / shortest_s;
            return wanted > 1.0 ? (uint64_t)wanted : 1;
        }
        calls *= 4;
    }
    return calls;
}

static bool take_slices(const lockstep *l, bench_task *task, const caller by[LOCKSTEP_BUILDS],
                        lockstep_result *result)
{
    rng order = rng_seeded(l->seed);
    size_t size = 0;
    for (const double end = clock_seconds() + l->time_s;
         *l->stop == 0 && (result->quadruples == 0 || clock_seconds() < end);
         result->quadruples++) {
        const size_t at = 2 * result->quadruples;
        if (at == size) {
            size = size == 0 ? 256 : 2 * size;
            for (int b = 0; b < LOCKSTEP_BUILDS; b++) {
                double *ns = realloc(result->ns[b], size * sizeof *ns);
                if (ns == NULL)
                    return false;
                result->ns[b] = ns;
            }
        }
        const int outer = (int)rng_below(&order, LOCKSTEP_BUILDS), inner = 1 - outer;
        result->ns[outer][at] = run_slice(task, &by[outer], result->calls);
        result->ns[inner][at] = run_slice(task, &by[inner], result->calls);
        result->ns[inner][at + 1] = run_slice(task, &by[inner], result->calls);
        result->ns[outer][at + 1] = run_slice(task, &by[outer], result->calls);
    }
    return true;
}

bool lockstep_run(const lockstep *l, const bench_row *row, workload *loads, size_t n_loads,
                  lockstep_result *result)
{
    *result = (lockstep_result){0};
    caller by[LOCKSTEP_BUILDS];
    for (int b = 0; b < LOCKSTEP_BUILDS; b++) {
        char why[200];
        by[b] = (caller){.library = &l->builds[b]};
        if (l->builds[b].select(row->isa, &by[b].kernels, why, sizeof why) != DOWNHILL_OK) {
            snprintf(result->skipped, sizeof result->skipped, "%s: %s", names[b], why);
            return true;
        }
    }
    bench_task task = {.loads = loads, .n_loads = n_loads, .kernel = row->kernel, .stop = l->stop};
    if (!try_both(&task, by, result) || result->skipped[0] != '\0')
        return result->skipped[0] != '\0';
    result->calls = calibrate(l, &task, by);
    return take_slices(l, &task, by, result);
}

void lockstep_result_free(lockstep_result *result)
{
    for (int b = 0; b < LOCKSTEP_BUILDS; b++)
        free(result->ns[b]);
    *result = (lockstep_result){0};
}
