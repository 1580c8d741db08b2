/* SPDX-License-Identifier: MIT */
#include "workload.h"

#include "base/memory.h"
#include "base/rng.h"
#include "driver/packing.h"
#include "placement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(rng *r, float *values, size_t count, float scale)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rng_unit(r) * scale;
}

/* Fills the labels. A label that is the class with the highest score meets every margin at Δ = 0;
 * any other violates one. */
static bool fill_labels(workload *load, rng *r)
{
    const size_t n = load->n, c = load->c;
    size_t *order = memory_new(n, sizeof *order);
    if (order == NULL)
        return false;
    const downhill_batch_f32 batch = {.x = load->x, .ldx = load->d, .x_rows = n, .n = n};
    const downhill_matrix_f32 scores = {load->scores, c, n, c};
    const bool good = downhill_score_f32(NULL, &batch, &load->weights, &scores) == DOWNHILL_OK;
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

bool workload_open(workload *load, size_t n, size_t d, size_t c, uint64_t seed, uint64_t layout)
{
    *load = (workload){.n = n, .d = d, .c = c};
    rng place = rng_seeded(layout);
    load->workspace.bytes = downhill_workspace_f32_bytes(d, c);
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
    /* Stops at the first failure, because further buffers could exhaust the memory of the
     * machine. */
    bool good = true;
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0] && good; i++) {
        const size_t rows = buffers[i].rows, columns = buffers[i].columns;
        if (rows <= SIZE_MAX / columns)
            *buffers[i].buffer = placement_new(&place, rows * columns, sizeof(float));
        good = *buffers[i].buffer != NULL;
    }
    if (good && n <= SIZE_MAX / d)
        load->x_bf16 = placement_new(&place, n * d, sizeof *load->x_bf16);
    good =
        good && load->x_bf16 != NULL &&
        (load->y = placement_new(&place, n, sizeof(int32_t))) != NULL &&
        (load->y_met50 = placement_new(&place, n, sizeof(int32_t))) != NULL &&
        (load->y_met95 = placement_new(&place, n, sizeof(int32_t))) != NULL &&
        (load->in_order = placement_new(&place, n, sizeof(size_t))) != NULL &&
        (load->shuffled = placement_new(&place, n, sizeof(size_t))) != NULL &&
        (n <= WORKLOAD_STEP_ROWS || /* no epochs of a single step are timed */
         (load->step_x = placement_new(&place, WORKLOAD_STEP_ROWS * d, sizeof(float))) != NULL) &&
        (load->step_y = placement_new(&place, WORKLOAD_STEP_ROWS, sizeof(int32_t))) != NULL &&
        (load->packed = placement_new(&place, c * packed_ld(d), sizeof(float))) != NULL &&
        (load->workspace.memory = placement_new(&place, load->workspace.bytes, 1)) != NULL;
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
    load->grad = (downhill_gradient_f32){load->dw, d, load->db, d, c};
    const downhill_matrix_f32 scores = {load->loss_scores, c, n, c},
                              dscores = {load->hinge_dscores, c, n, c};
    double loss;
    if (!fill_labels(load, &r) ||
        !workload_u8_open(&load->u8, n, d, c, load->y, &r, rng_u64(&place)) ||
        downhill_hinge_f32(NULL, &scores, load->y, 1.0f, &dscores, &loss) != DOWNHILL_OK) {
        workload_close(load);
        return false;
    }
    return true;
}

void workload_close(workload *load)
{
    placement_free(load->x);
    placement_free(load->x_bf16);
    placement_free(load->w);
    placement_free(load->b);
    placement_free(load->loss_scores);
    placement_free(load->grad_dscores);
    placement_free(load->hinge_dscores);
    placement_free(load->scores);
    placement_free(load->dscores);
    placement_free(load->dw);
    placement_free(load->db);
    placement_free(load->y);
    placement_free(load->y_met50);
    placement_free(load->y_met95);
    placement_free(load->in_order);
    placement_free(load->shuffled);
    placement_free(load->step_x);
    placement_free(load->step_y);
    placement_free(load->packed);
    placement_free(load->workspace.memory);
    workload_u8_close(&load->u8);
    memset(load, 0, sizeof *load);
}

downhill_status workload_epoch(workload *l, const size_t *rows, workload_step *step,
                               const void *context)
{
    downhill_status status = DOWNHILL_OK;
    for (size_t i = 0; i < l->n && status == DOWNHILL_OK; i += WORKLOAD_STEP_ROWS) {
        const size_t remaining = l->n - i,
                     n = remaining < WORKLOAD_STEP_ROWS ? remaining : WORKLOAD_STEP_ROWS;
        const downhill_batch_f32 batch = {.x = l->x,
                                          .ldx = l->d,
                                          .x_rows = l->n,
                                          .y = l->y,
                                          .rows = rows + i,
                                          .n = n,
                                          .n_next = remaining - n};
        status = step(context, l, &batch);
    }
    return status;
}
