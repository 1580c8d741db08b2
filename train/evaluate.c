/* SPDX-License-Identifier: MIT */
#include "evaluate.h"

#include "base/memory.h"
#include "parallel/together.h"

#include <stdlib.h>

/* Size of a block's scores, so that they are still in L2 when the losses are computed. */
enum { BLOCK_BYTES = 256 << 10, BLOCK_ROWS_MIN = 16, BLOCK_ROWS_MAX = 1024 };

/* Number of weight rows that keeps the product of the scores busy. */
enum { CLASSES_AT_ONCE = 320 };

/* Buffers and result of one thread. */
struct worker {
    void *scores;  /* block × count·c, f32 or f64 */
    void *dscores; /* block × c, f32 or i16; not used, but computed with the losses */
    int32_t *y, *predicted;
    downhill_status status;
};

struct evaluator {
    const features *f;
    const downhill_kernels *kernels;
    downhill_loss loss;
    size_t c, count, threads, block_rows, packed_bytes;
    downhill_packed_u8 *packed; /* FEATURES_U8 */
    struct worker *workers;
    const volatile sig_atomic_t *stop;
    /* the current run */
    const downhill_weights_f32 *weights;
    const samples *s;
    size_t n_sets, n_blocks;
    /* evaluator_scores(): the range of samples and the output */
    size_t first, n;
    double *scores;
    /* per block and set; added up in this order, whatever thread computed them */
    double *losses;
    size_t *right;
    int32_t *only_class; /* as in struct evaluation */
};

static bool worker_open(struct worker *w, const evaluator *e)
{
    const size_t n = e->block_rows, wide = e->count * e->c;
    const bool u8 = e->f->type == FEATURES_U8;
    w->scores = memory_new(n * wide, u8 ? sizeof(double) : sizeof(float));
    w->dscores = memory_new(n * e->c, u8 ? sizeof(int16_t) : sizeof(float));
    w->y = memory_new(n, sizeof *w->y);
    w->predicted = memory_new(n, sizeof *w->predicted);
    return w->scores != NULL && w->dscores != NULL && w->y != NULL && w->predicted != NULL;
}

evaluator *evaluator_open(const features *f, const downhill_kernels *kernels, downhill_loss loss,
                          size_t c, size_t count, size_t threads)
{
    evaluator *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    *e = (evaluator){.f = f, .kernels = kernels, .loss = loss, .c = c, .count = count};
    const size_t rows = BLOCK_BYTES / sizeof(double) / (c * count);
    e->block_rows = rows < BLOCK_ROWS_MIN ? BLOCK_ROWS_MIN : rows;
    e->block_rows = e->block_rows > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : e->block_rows;
    e->threads = threads;
    e->workers = calloc(threads, sizeof *e->workers);
    bool good = e->workers != NULL;
    if (good && f->type == FEATURES_U8) {
        e->packed_bytes = downhill_packed_u8_bytes(f->data->d, count * c);
        e->packed = e->packed_bytes > 0 ? memory_new(e->packed_bytes, 1) : NULL;
        good = e->packed != NULL;
    }
    for (size_t i = 0; good && i < threads; i++)
        good = worker_open(&e->workers[i], e);
    if (!good) {
        evaluator_close(e);
        return NULL;
    }
    return e;
}

void evaluator_close(evaluator *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; e->workers != NULL && i < e->threads; i++) {
        free(e->workers[i].scores);
        free(e->workers[i].dscores);
        free(e->workers[i].y);
        free(e->workers[i].predicted);
    }
    free(e->workers);
    free(e->packed);
    free(e);
}

void evaluator_stops_at(evaluator *e, const volatile sig_atomic_t *stop)
{
    e->stop = stop;
}

static bool is_stopped(const evaluator *e)
{
    return e->stop != NULL && *e->stop != 0;
}

size_t evaluate_at_once(size_t c)
{
    const size_t fit = CLASSES_AT_ONCE / c;
    return fit < 1 ? 1 : fit > EVALUATE_AT_ONCE_MAX ? EVALUATE_AT_ONCE_MAX : fit;
}

static downhill_status score_block(const evaluator *e, struct worker *w, size_t first, size_t n)
{
    const size_t wide = e->weights->c, remaining = e->s->n - first - n;
    const size_t *rows = e->s->rows + first;
    if (e->f->type == FEATURES_U8) {
        const downhill_batch_u8 batch = features_batch_u8(e->s->x, rows, n, remaining);
        const downhill_matrix_f64 scores = {w->scores, wide, n, wide};
        return downhill_score_u8(e->kernels, &batch, e->packed, &scores);
    }
    const downhill_batch_f32 batch = features_batch_f32(e->f, e->s->x, rows, n, remaining);
    const downhill_matrix_f32 scores = {w->scores, wide, n, wide};
    return downhill_score_f32(e->kernels, &batch, e->weights, &scores);
}

/* Computes the loss and the predicted classes of set `set`, whose scores are some of the
 * columns. */
static downhill_status judge_set(const evaluator *e, struct worker *w, size_t n, size_t set,
                                 double *loss)
{
    const size_t c = e->c, wide = e->weights->c;
    downhill_status status;
    if (e->f->type == FEATURES_U8) {
        const downhill_matrix_f64 scores = {(double *)w->scores + set * c, wide, n, c};
        const downhill_matrix_i16 dscores = {w->dscores, c, n, c};
        status = e->loss.kind == DOWNHILL_HINGE
                     ? downhill_hinge_u8(e->kernels, &scores, w->y, e->loss.margin, &dscores, loss)
                     : downhill_softmax_u8(e->kernels, &scores, w->y, &dscores, loss);
        return status == DOWNHILL_OK ? downhill_predict_u8(&scores, w->predicted) : status;
    }
    const downhill_matrix_f32 scores = {(float *)w->scores + set * c, wide, n, c},
                              dscores = {w->dscores, c, n, c};
    status = e->loss.kind == DOWNHILL_HINGE
                 ? downhill_hinge_f32(e->kernels, &scores, w->y, e->loss.margin, &dscores, loss)
                 : downhill_softmax_f32(e->kernels, &scores, w->y, &dscores, loss);
    return status == DOWNHILL_OK ? downhill_predict_f32(e->kernels, &scores, w->predicted, NULL)
                                 : status;
}

/* Returns the number of samples predicted correctly. */
static size_t right_of_set(const struct worker *w, size_t n, int32_t *only_class)
{
    size_t right = 0;
    *only_class = w->predicted[0];
    for (size_t i = 0; i < n; i++) {
        right += w->predicted[i] == w->y[i];
        if (w->predicted[i] != *only_class)
            *only_class = -1;
    }
    return right;
}

static void run_worker(void *context, size_t i)
{
    const evaluator *e = context;
    struct worker *w = &e->workers[i];
    w->status = DOWNHILL_OK;
    const size_t end = e->n_blocks * (i + 1) / e->threads;
    for (size_t b = e->n_blocks * i / e->threads;
         b < end && w->status == DOWNHILL_OK && !is_stopped(e); b++) {
        const size_t first = b * e->block_rows, remaining = e->s->n - first;
        const size_t n = remaining < e->block_rows ? remaining : e->block_rows;
        for (size_t r = 0; r < n; r++)
            w->y[r] = samples_label(e->s, first + r);
        w->status = score_block(e, w, first, n);
        for (size_t set = 0; set < e->n_sets && w->status == DOWNHILL_OK; set++) {
            w->status = judge_set(e, w, n, set, &e->losses[b * e->n_sets + set]);
            if (w->status == DOWNHILL_OK)
                e->right[b * e->n_sets + set] =
                    right_of_set(w, n, &e->only_class[b * e->n_sets + set]);
        }
    }
}

static downhill_status pack(evaluator *e, const downhill_weights_f32 *weights)
{
    e->weights = weights;
    if (e->f->type != FEATURES_U8)
        return DOWNHILL_OK;
    const downhill_norm_u8 norm = features_norm_u8(e->f);
    return downhill_pack_u8(e->kernels, weights, &norm, e->packed, e->packed_bytes);
}

static downhill_status first_error(const evaluator *e)
{
    for (size_t i = 0; i < e->threads; i++)
        if (e->workers[i].status != DOWNHILL_OK)
            return e->workers[i].status;
    return DOWNHILL_OK;
}

downhill_status evaluator_run(evaluator *e, const downhill_weights_f32 *weights, size_t count,
                              const samples *s, evaluation *of)
{
    if (count > e->count || weights->c != count * e->c || s->n == 0)
        return DOWNHILL_ERR_SIZE;
    downhill_status status = pack(e, weights);
    e->s = s;
    e->n_sets = count;
    e->n_blocks = (s->n + e->block_rows - 1) / e->block_rows;
    e->losses = memory_new(e->n_blocks * count, sizeof *e->losses);
    e->right = memory_new(e->n_blocks * count, sizeof *e->right);
    e->only_class = memory_new(e->n_blocks * count, sizeof *e->only_class);
    if (e->losses == NULL || e->right == NULL || e->only_class == NULL)
        status = DOWNHILL_ERR_WORKSPACE;
    if (status == DOWNHILL_OK)
        together_run(e->threads, run_worker, e);
    if (status == DOWNHILL_OK)
        status = first_error(e);
    for (size_t set = 0; status == DOWNHILL_OK && !is_stopped(e) && set < count; set++) {
        double loss = 0.0;
        size_t right = 0;
        int32_t only_class = e->only_class[set];
        for (size_t b = 0; b < e->n_blocks; b++) {
            if (e->only_class[b * count + set] != only_class)
                only_class = -1;
            loss += e->losses[b * count + set];
            right += e->right[b * count + set];
        }
        of[set] = (evaluation){loss / (double)s->n, (double)right / (double)s->n, only_class};
    }
    free(e->losses);
    free(e->right);
    free(e->only_class);
    return status;
}

static void score_part(void *context, size_t i)
{
    const evaluator *e = context;
    struct worker *w = &e->workers[i];
    const size_t c = e->weights->c, end = e->n_blocks * (i + 1) / e->threads;
    w->status = DOWNHILL_OK;
    for (size_t b = e->n_blocks * i / e->threads;
         b < end && w->status == DOWNHILL_OK && !is_stopped(e); b++) {
        const size_t done = b * e->block_rows, remaining = e->n - done;
        const size_t n = remaining < e->block_rows ? remaining : e->block_rows;
        w->status = score_block(e, w, e->first + done, n);
        for (size_t at = 0; at < n * c && w->status == DOWNHILL_OK; at++)
            e->scores[done * c + at] = e->f->type == FEATURES_U8 ? ((double *)w->scores)[at]
                                                                 : (double)((float *)w->scores)[at];
    }
}

downhill_status evaluator_scores(evaluator *e, const downhill_weights_f32 *weights,
                                 const samples *s, size_t first, size_t n, double *scores)
{
    const downhill_status status = pack(e, weights);
    if (status != DOWNHILL_OK)
        return status;
    e->s = s;
    e->first = first;
    e->n = n;
    e->n_blocks = (n + e->block_rows - 1) / e->block_rows;
    e->scores = scores;
    together_run(e->threads, score_part, e);
    return first_error(e);
}
