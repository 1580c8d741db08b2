/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include "driver/packing.h"
#include "peers.h"

#include "base/levels.h"
#include "base/memory.h"
#include "base/rng.h"
#include "parallel/team.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A step that changes nothing: w = 1·w - 0·dw is w to the bit, and costs what any other costs. So
 * the weights, the scores and the share of violated margins are the same in the first call and in
 * the millionth, whatever the order of the samples. */
static const downhill_sgd hinge = {.loss = {DOWNHILL_HINGE, 1.0f}},
                          perceptron = {.loss = {DOWNHILL_HINGE, 0.0f}},
                          softmax = {.loss = {DOWNHILL_SOFTMAX, 0.0f}};

static void fill(rng *r, float *values, size_t count, float scale)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rng_unit(r) * scale;
}

/* The class with the highest score meets every margin at Δ = 0, and no other does. */
static bool fill_labels(workload *load, rng *r)
{
    const size_t n = load->n, c = load->c;
    size_t *order = memory_new(n, sizeof *order);
    if (order == NULL)
        return false;
    const bool good = workload_run(NULL, BENCH_SCORE, load) == DOWNHILL_OK;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    rng_shuffle(r, order, n);
    for (size_t o = 0; o < n; o++) {
        const size_t i = order[o];
        const float *s = load->scores + i * c;
        size_t best = 0;
        for (size_t j = 1; j < c; j++)
            best = s[j] > s[best] ? j : best;
        const size_t other = c == 1 ? 0 : (best + 1 + rng_below(r, c - 1)) % c;
        load->y[i] = (int32_t)other;
        load->y_met50[i] = (int32_t)(o < n / 2 ? best : other);
        load->y_met95[i] = (int32_t)(o < n * 19 / 20 ? best : other);
    }
    free(order);
    return good;
}

bool workload_open(workload *load, size_t n, size_t d, size_t c, uint64_t seed)
{
    *load = (workload){.n = n, .d = d, .c = c};
    load->workspace.bytes = downhill_workspace_f32(d, c);
    const struct {
        float **buffer;
        size_t rows, columns;
    } buffers[] = {
        {&load->x, n, d},
        {&load->w, c, d},
        {&load->b, 1, c},
        {&load->loss_scores, n, c},
        {&load->grad_dscores, n, c},
        {&load->hinge_dscores, n, c},
        {&load->scores, n, c},
        {&load->dscores, n, c},
        {&load->dw, c, d},
        {&load->db, 1, c},
    };
    /* Stops at the first that does not fit: filling the others could take the machine's memory. */
    bool good = true;
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0] && good; i++) {
        const size_t rows = buffers[i].rows, columns = buffers[i].columns;
        if (rows <= SIZE_MAX / columns)
            *buffers[i].buffer = memory_new(rows * columns, sizeof(float));
        good = *buffers[i].buffer != NULL;
    }
    if (good && n <= SIZE_MAX / d)
        load->x_bf16 = memory_new(n * d, sizeof *load->x_bf16);
    good = good && load->x_bf16 != NULL && (load->y = memory_new(n, sizeof(int32_t))) != NULL &&
           (load->y_met50 = memory_new(n, sizeof(int32_t))) != NULL &&
           (load->y_met95 = memory_new(n, sizeof(int32_t))) != NULL &&
           (load->in_order = memory_new(n, sizeof(size_t))) != NULL &&
           (load->shuffled = memory_new(n, sizeof(size_t))) != NULL &&
           (n <= BENCH_EPOCH_ROWS || /* of one step there are no epochs */
            (load->step_x = memory_new(BENCH_EPOCH_ROWS * d, sizeof(float))) != NULL) &&
           (load->step_y = memory_new(BENCH_EPOCH_ROWS, sizeof(int32_t))) != NULL &&
           (load->packed = memory_new(c * packed_ld(d), sizeof(float))) != NULL &&
           (load->workspace.memory = memory_new(load->workspace.bytes, 1)) != NULL;
    if (!good) {
        workload_close(load);
        return false;
    }
    rng r = rng_seeded(seed);
    fill(&r, load->x, n * d, 1.0f);
    downhill_bf16_from_f32(n * d, load->x, load->x_bf16);
    fill(&r, load->w, c * d, 3.0f / sqrtf((float)d));
    fill(&r, load->b, c, 1.0f);
    fill(&r, load->loss_scores, n * c, 2.0f);
    fill(&r, load->grad_dscores, n * c, 1.0f);
    fill(&r, load->dw, c * d, 1.0f);
    fill(&r, load->db, c, 1.0f);
    for (size_t i = 0; i < n; i++)
        load->in_order[i] = load->shuffled[i] = i;
    rng_shuffle(&r, load->shuffled, n);
    load->weights = (downhill_weights_f32){load->w, d, load->b, d, c};
    load->grad = (downhill_weights_f32){load->dw, d, load->db, d, c};
    const downhill_matrix_f32 scores = {load->loss_scores, c, n, c},
                              dscores = {load->hinge_dscores, c, n, c};
    double loss;
    if (!fill_labels(load, &r) ||
        !workload_u8_open(&load->u8, n, d, c, load->y, load->in_order, load->shuffled, &r) ||
        downhill_hinge_f32(NULL, &scores, load->y, 1.0f, &dscores, &loss) != DOWNHILL_OK) {
        workload_close(load);
        return false;
    }
    return true;
}

void workload_close(workload *load)
{
    free(load->x);
    free(load->x_bf16);
    free(load->w);
    free(load->b);
    free(load->loss_scores);
    free(load->grad_dscores);
    free(load->hinge_dscores);
    free(load->scores);
    free(load->dscores);
    free(load->dw);
    free(load->db);
    free(load->y);
    free(load->y_met50);
    free(load->y_met95);
    free(load->in_order);
    free(load->shuffled);
    free(load->step_x);
    free(load->step_y);
    free(load->packed);
    free(load->workspace.memory);
    workload_u8_close(&load->u8);
    memset(load, 0, sizeof *load);
}

downhill_status workload_epoch(workload *l, const size_t *rows, workload_step step, const void *who)
{
    downhill_status status = DOWNHILL_OK;
    for (size_t i = 0; i < l->n && status == DOWNHILL_OK; i += BENCH_EPOCH_ROWS) {
        const size_t left = l->n - i, n = left < BENCH_EPOCH_ROWS ? left : BENCH_EPOCH_ROWS;
        const downhill_batch_f32 batch = {.x = l->x,
                                          .ldx = l->d,
                                          .x_rows = l->n,
                                          .y = l->y,
                                          .rows = rows + i,
                                          .n = n,
                                          .n_next = left - n};
        status = step(who, l, &batch);
    }
    return status;
}

static downhill_status fused_step(const void *kernels, workload *l, const downhill_batch_f32 *batch)
{
    double loss;
    return downhill_step_f32(kernels, batch, &l->weights, &hinge, &l->grad, &loss, &l->workspace,
                             NULL);
}

static downhill_batch_bf16 as_bf16(const workload *l, const downhill_batch_f32 *batch)
{
    return (downhill_batch_bf16){l->x_bf16,   batch->ldx, batch->x_rows, batch->y,
                                 batch->rows, batch->n,   batch->n_next};
}

static downhill_status fused_step_bf16(const void *kernels, workload *l,
                                       const downhill_batch_f32 *batch)
{
    const downhill_batch_bf16 bf16 = as_bf16(l, batch);
    double loss;
    return downhill_step_bf16(kernels, &bf16, &l->weights, &hinge, &l->grad, &loss, &l->workspace,
                              NULL);
}

downhill_status workload_run(const downhill_kernels *k, bench_kernel kernel, workload *l)
{
    const downhill_batch_f32 batch = {
        .x = l->x, .ldx = l->d, .x_rows = l->n, .y = l->y, .rows = NULL, .n = l->n};
    const downhill_matrix_f32 scores = {l->scores, l->c, l->n, l->c},
                              dscores = {l->dscores, l->c, l->n, l->c},
                              loss_scores = {l->loss_scores, l->c, l->n, l->c},
                              grad_dscores = {l->grad_dscores, l->c, l->n, l->c},
                              hinge_dscores = {l->hinge_dscores, l->c, l->n, l->c};
    double loss;
    downhill_status status = DOWNHILL_OK;
    switch (kernel) {
    case BENCH_SCORE:
        return downhill_score_f32(k, &batch, &l->weights, &scores);
    case BENCH_PACK:
        downhill_pack_weights(k->packed_f32, &l->weights, l->packed);
        return status;
    case BENCH_PACK_BF16:
        downhill_pack_weights(k->packed_bf16, &l->weights, l->packed);
        return status;
    case BENCH_HINGE:
        return downhill_hinge_f32(k, &loss_scores, l->y, 1.0f, &dscores, &loss);
    case BENCH_SOFTMAX:
        return downhill_softmax_f32(k, &loss_scores, l->y, &dscores, &loss);
    case BENCH_GRAD:
        return downhill_grad_f32(k, &batch, &grad_dscores, 0, &l->grad);
    case BENCH_UPDATE:
        return downhill_update_f32(k, &l->weights, &l->grad, l->n, &hinge);
    case BENCH_STEP_HINGE:
        return downhill_step_f32(k, &batch, &l->weights, &hinge, &l->grad, &loss, &l->workspace,
                                 NULL);
    case BENCH_STEP_HINGE_MET50:
    case BENCH_STEP_HINGE_MET95: {
        downhill_batch_f32 met = batch;
        met.y = kernel == BENCH_STEP_HINGE_MET50 ? l->y_met50 : l->y_met95;
        return downhill_step_f32(k, &met, &l->weights, &perceptron, &l->grad, &loss, &l->workspace,
                                 NULL);
    }
    case BENCH_STEP_SOFTMAX:
        return downhill_step_f32(k, &batch, &l->weights, &softmax, &l->grad, &loss, &l->workspace,
                                 NULL);
    case BENCH_CHAIN_HINGE:
        if ((status = downhill_score_f32(k, &batch, &l->weights, &scores)) == DOWNHILL_OK &&
            (status = downhill_hinge_f32(k, &scores, l->y, 1.0f, &scores, &loss)) == DOWNHILL_OK &&
            (status = downhill_grad_f32(k, &batch, &scores, 0, &l->grad)) == DOWNHILL_OK)
            status = downhill_update_f32(k, &l->weights, &l->grad, l->n, &hinge);
        return status;
    case BENCH_SCORE_BF16: {
        const downhill_batch_bf16 bf16 = as_bf16(l, &batch);
        return downhill_score_bf16(k, &bf16, &l->weights, &scores);
    }
    case BENCH_GRAD_BF16: {
        const downhill_batch_bf16 bf16 = as_bf16(l, &batch);
        return downhill_grad_bf16(k, &bf16, &grad_dscores, 0, &l->grad);
    }
    case BENCH_GRAD_HINGE_BF16: {
        const downhill_batch_bf16 bf16 = as_bf16(l, &batch);
        return downhill_grad_bf16(k, &bf16, &hinge_dscores, 0, &l->grad);
    }
    case BENCH_STEP_HINGE_BF16:
        return fused_step_bf16(k, l, &batch);
    case BENCH_EPOCH_HINGE_BF16:
        return workload_epoch(l, l->in_order, fused_step_bf16, k);
    case BENCH_EPOCH_HINGE:
        return workload_epoch(l, l->in_order, fused_step, k);
    case BENCH_EPOCH_HINGE_SHUFFLED:
        return workload_epoch(l, l->shuffled, fused_step, k);
    default:
        return workload_u8_run(k, NULL, kernel, &l->u8);
    }
}

bool workload_has(const downhill_kernels *k, bench_kernel kernel)
{
    if (kernel == BENCH_PACK)
        return k->packed_f32 != NULL;
    if (kernel == BENCH_PACK_BF16)
        return k->packed_bf16 != NULL && k->packed_bf16->pack != k->packed_f32->pack;
    if (kernel == BENCH_READ_U8 || kernel == BENCH_READ_SHUFFLED_U8)
        return levels_is_baseline(k->name); /* reading is not a matter of the level */
    return true;
}

bool workload_threads(bench_kernel kernel)
{
    switch (kernel) {
    case BENCH_STEP_HINGE:
    case BENCH_STEP_HINGE_U8:
    case BENCH_EPOCH_HINGE:
    case BENCH_EPOCH_HINGE_U8:
    case BENCH_EPOCH_HINGE_SHUFFLED:
    case BENCH_EPOCH_HINGE_SHUFFLED_U8:
        return true;
    default:
        return false;
    }
}

static downhill_status team_step(const void *who, workload *l, const downhill_batch_f32 *batch)
{
    const bench_task *task = who;
    double loss;
    return team_step_f32(task->team, task->kernels, batch, &l->weights, &hinge, &l->grad, &loss,
                         NULL);
}

static downhill_status team_run(const bench_task *task, workload *l)
{
    if (bench_formulas[task->kernel].element == ELEMENT_U8)
        return workload_u8_run(task->kernels, task->team, task->kernel, &l->u8);
    const downhill_batch_f32 batch = {
        .x = l->x, .ldx = l->d, .x_rows = l->n, .y = l->y, .rows = NULL, .n = l->n};
    return task->kernel == BENCH_EPOCH_HINGE ? workload_epoch(l, l->in_order, team_step, task)
           : task->kernel == BENCH_EPOCH_HINGE_SHUFFLED
               ? workload_epoch(l, l->shuffled, team_step, task)
               : team_step(task, l, &batch);
}

static workload *next_load(bench_task *task)
{
    workload *load = &task->loads[task->turn];
    task->turn = task->turn + 1 < task->n_loads ? task->turn + 1 : 0;
    return load;
}

static void run_calls(bench_task *task, uint64_t calls)
{
    if (task->team != NULL)
        for (uint64_t i = 0; i < calls; i++)
            task->status = team_run(task, next_load(task));
    else if (task->peer != NULL)
        for (uint64_t i = 0; i < calls; i++)
            task->status = peer_run(task->peer, task->kernel, next_load(task));
    else
        for (uint64_t i = 0; i < calls; i++)
            task->status = workload_run(task->kernels, task->kernel, next_load(task));
}

void bench_task_run(void *context, uint64_t iterations)
{
    bench_task *task = context;
    uint64_t left = iterations;
    while (left > 0 && (task->stop == NULL || *task->stop == 0)) {
        const uint64_t calls = task->at_once > 0 && task->at_once < left ? task->at_once : left;
        run_calls(task, calls);
        left -= calls;
    }
    task->cut = left > 0;
}
