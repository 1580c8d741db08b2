/* SPDX-License-Identifier: MIT
 *
 * Weights of byte batches: packing, scores of a block, update. The quantum of a class is the power of two for which
 * its largest weight just fits; the micro-kernels round the weights to multiples of it. The contributions of the mean
 * and the bias to the scores are exact multiples, too. */
#include "driver/packed_u8.h"

#include "driver/carve.h"
#include "simd/tiles.h"

#include <math.h>
#include <string.h>

/* Maximum |q|. VNNI and AMX split q into 256·high + low with low in [-128, 127]; up to 127·256 + 127, high is a
 * signed byte too. */
#define Q_MAX 32639.0

enum {
    BITS_OF_Q = 15,
    BITS_OF_BIAS = 40, /* Σ q x + Σ q mean + bias stays below 2⁵³ 256ths for d <= 2²⁰ */
    EXPONENT_MAX = 126 /* of a factor in f32 */
};

struct packed_u8 *downhill_packed_u8_in(const downhill_packed_u8 *packed)
{
    return (struct packed_u8 *)whole_lines((uintptr_t)packed);
}

uintptr_t downhill_lay_out_packed_u8(struct packed_u8 *p, uintptr_t at, size_t d, size_t c)
{
    *p = (struct packed_u8){.d = d, .c = c};
    p->self = (const struct packed_u8 *)carve(&at, sizeof *p);
    p->quantum = (double *)carve(&at, c * sizeof *p->quantum);
    p->bias = (double *)carve(&at, c * sizeof *p->bias);
    p->start = (double *)carve(&at, c * sizeof *p->start);
    p->mean_scores = (double *)carve(&at, MEAN_ROWS * c * sizeof *p->mean_scores);
    p->rounded = (float *)carve(&at, d * sizeof *p->rounded);
    p->mean = (float *)carve(&at, d * sizeof *p->mean);
    p->gain = (float *)carve(&at, d * sizeof *p->gain);
    for (size_t i = 0; i < MEAN_ROWS; i++)
        p->mean_rows[i] = (uint8_t *)carve(&at, d);
    p->weights = (unsigned char *)carve(&at, c * packed_ld_u8(d) * sizeof(int16_t));
    return at;
}

/* Returns the exponent s of the factor of a class: 2^s·max <= Q_MAX and 2^s·|b| < 2^BITS_OF_BIAS. */
static int exponent_of_factor(float max, float b)
{
    int s = EXPONENT_MAX, e;
    if (max > 0.0f) {
        const float fraction = frexpf(max, &e); /* in [1/2, 1) */
        const int fit = ldexp((double)fraction, BITS_OF_Q) > Q_MAX;
        s = BITS_OF_Q - e - fit < s ? BITS_OF_Q - e - fit : s;
    }
    if (b != 0.0f) {
        frexpf(b, &e);
        s = BITS_OF_BIAS - e < s ? BITS_OF_BIAS - e : s;
    }
    return s;
}

/* Sets quantum and bias of a class, and returns its factor. `largest` has the bits of the largest |w|. */
static float set_quantum(struct packed_u8 *p, const downhill_weights_f32 *weights, size_t j,
                         uint32_t largest)
{
    const float b = weights->b != NULL ? weights->b[j] : 0.0f;
    float magnitude;
    memcpy(&magnitude, &largest, sizeof magnitude);
    p->quantum[j] = p->bias[j] = (double)NAN;
    if (!isfinite(magnitude) || !isfinite(b))
        return 0.0f;
    const int s = exponent_of_factor(magnitude, b);
    p->quantum[j] = ldexp(1.0, -s);
    p->bias[j] = ldexp(rint(ldexp((double)b, s) * MEAN_UNITS) / MEAN_UNITS, -s);
    return ldexpf(1.0f, s);
}

/* A gradient to update the weights by before they are packed. That of one sample is its features, dw, times a dscore
 * per class. */
struct update {
    struct update_factors factors;
    const downhill_gradient_f64 *f64; /* NULL: the sums are the following */
    const int32_t *dw;
    size_t lddw;
    const int32_t *db;    /* NULL for one sample */
    const int16_t *times; /* the dscores of one sample, else NULL */
};

/* Updates a class and returns the bits of its largest |w|. */
static uint32_t update_class(const struct packed_u8 *p, const downhill_weights_f32 *weights,
                             size_t j, const struct update *u)
{
    const float times = u->times != NULL ? (float)u->times[j] : 1.0f;
    const float sum = u->f64 != NULL     ? (float)u->f64->db[j]
                      : u->times != NULL ? times
                                         : (float)u->db[j];
    float move = u->factors.step * sum;
    DOWNHILL_ROUND(move);
    if (weights->b != NULL)
        weights->b[j] -= move;
    for (size_t k = 0; u->f64 != NULL && k < p->d; k++)
        p->rounded[k] = (float)u->f64->dw[j * u->f64->lddw + k];
    const void *dw = u->f64 != NULL ? (const void *)p->rounded : u->dw + j * u->lddw;
    return p->u8->update(p->d, p->norm | (u->f64 != NULL ? UPDATE_ROUNDED : 0u), u->factors.decay,
                         u->factors.step, sum, times, dw, p->mean, p->gain,
                         weights->w + j * weights->ldw);
}

static uint32_t largest_magnitude(size_t d, const float *w)
{
    uint32_t largest = 0;
    for (size_t k = 0; k < d; k++) {
        uint32_t bits;
        memcpy(&bits, &w[k], sizeof bits);
        bits &= INT32_MAX;
        largest = bits > largest ? bits : largest;
    }
    return largest;
}

/* Sets the initial scores: those of the bias less those of the mean vector. */
static void set_start(struct packed_u8 *p)
{
    memcpy(p->start, p->bias, p->c * sizeof *p->start);
    if (!(p->norm & UPDATE_CENTERED))
        return;
    const void *rows[MEAN_ROWS + U8_ROWS_PAST_END];
    for (size_t i = 0; i < MEAN_ROWS + U8_ROWS_PAST_END; i++)
        rows[i] = p->mean_rows[i % MEAN_ROWS];
    memset(p->mean_scores, 0, MEAN_ROWS * p->c * sizeof *p->mean_scores);
    downhill_add_scores_u8(p, p->u8->features, MEAN_ROWS, rows, p->mean_scores, p->c);
    for (size_t j = 0; j < p->c; j++)
        p->start[j] -= p->mean_scores[j] + p->mean_scores[p->c + j] / MEAN_UNITS;
}

/* Returns whether an update by one sample leaves a panel as it is, even if a weight is -0: subtracting 0 keeps it. */
static int is_unchanged(const struct packed_u8 *p, const struct update *u, size_t first,
                        size_t panel)
{
    int all_zero = u->times != NULL && u->factors.decay == 1.0f && !signbit(u->factors.step) &&
                   isfinite(u->factors.step * p->largest_gain);
    for (size_t i = 0; all_zero && i < panel; i++)
        all_zero = u->times[first + i] == 0;
    return all_zero;
}

/* Updates a panel unless update is NULL, and packs it, two classes at a time. */
static void update_and_pack_panel(struct packed_u8 *p, const downhill_weights_f32 *weights,
                                  const struct update *update, size_t first, size_t panel)
{
    for (size_t j = 0, classes; j < panel; j += classes) {
        float factors[U8_PACK_CLASSES];
        classes = panel - j < U8_PACK_CLASSES ? panel - j : U8_PACK_CLASSES;
        for (size_t i = 0; i < classes; i++) {
            const size_t class = first + j + i;
            const uint32_t largest =
                update != NULL ? update_class(p, weights, class, update)
                               : largest_magnitude(p->d, weights->w + class * weights->ldw);
            factors[i] = set_quantum(p, weights, class, largest);
        }
        p->u8->pack(p->d, panel, j, classes, weights->w + (first + j) * weights->ldw, weights->ldw,
                    factors, p->weights + first * packed_ld_u8(p->d) * sizeof(int16_t));
    }
}

/* Updates the weights unless update is NULL, and packs those that may have changed. */
static void update_and_pack(struct packed_u8 *p, const downhill_weights_f32 *weights,
                            const struct update *update)
{
    int changed = 0;
    for (size_t first = 0, panel; first < p->c; first += panel) {
        panel = next_tile(p->c - first, p->u8->classes);
        /* A panel is packed as a whole: AMX arranges it when its last class arrives. */
        if (update != NULL && is_unchanged(p, update, first, panel))
            continue;
        update_and_pack_panel(p, weights, update, first, panel);
        changed = 1;
    }
    if (changed)
        set_start(p);
}

void downhill_add_scores_u8(const struct packed_u8 *p, size_t features, size_t n,
                            const void *const *rows, double *scores, size_t lds)
{
    const void *x[BLOCK_ROWS_MAX + U8_ROWS_PAST_END];
    for (size_t k = 0, chunk; k < p->d; k += chunk) {
        chunk = next_tile(p->d - k, features);
        chunk = k + chunk < p->d ? (chunk + U8_GROUP - 1) / U8_GROUP * U8_GROUP : chunk;
        for (size_t i = 0; i < n; i++)
            x[i] = (const uint8_t *)rows[i] + k;
        /* The next chunk of the first rows, or the first chunk of the rows after them. */
        const int last = k + chunk == p->d;
        for (size_t i = 0; i < U8_ROWS_PAST_END; i++)
            x[n + i] = last ? rows[n + i] : (const uint8_t *)rows[i < n ? i : 0] + k + chunk;
        for (size_t j = 0, classes; j < p->c; j += classes) {
            classes = next_tile(p->c - j, p->u8->classes);
            p->u8->score(n, chunk, classes, x,
                         p->weights + (j * packed_ld_u8(p->d) + k * classes) * sizeof(int16_t),
                         p->quantum + j, scores + j, lds);
        }
    }
}

static void set_norm(struct packed_u8 *p, const downhill_norm_u8 *norm)
{
    const uint16_t *mean = norm != NULL ? norm->mean : NULL;
    const float *scale = norm != NULL ? norm->scale : NULL;
    for (size_t k = 0; k < p->d; k++) {
        const unsigned m = mean != NULL ? mean[k] : 0;
        p->norm |= m != 0 ? UPDATE_CENTERED : 0u;
        p->mean_rows[0][k] = (uint8_t)(m / MEAN_UNITS);
        p->mean_rows[1][k] = (uint8_t)(m % MEAN_UNITS);
        p->mean[k] = (float)m / MEAN_UNITS;
        p->gain[k] = scale != NULL ? scale[k] * scale[k] : 1.0f; /* never -0 */
        p->norm |= p->gain[k] != p->gain[0] ? UPDATE_SCALED : 0u;
        p->largest_gain = p->gain[k] > p->largest_gain ? p->gain[k] : p->largest_gain;
    }
}

void downhill_pack_new_u8(const downhill_kernels *kernels, const downhill_weights_f32 *weights,
                          const downhill_norm_u8 *norm, struct packed_u8 *p)
{
    downhill_lay_out_packed_u8(p, (uintptr_t)p, weights->d, weights->c);
    p->u8 = kernels->u8;
    set_norm(p, norm);
    update_and_pack(p, weights, NULL);
}

void downhill_update_packed_u8(const downhill_weights_f32 *weights,
                               const downhill_gradient_u8 *grad, struct update_factors factors,
                               struct packed_u8 *p)
{
    const struct update update = {factors, NULL, grad->dw, grad->lddw, grad->db, NULL};
    update_and_pack(p, weights, &update);
}

void downhill_update_packed_u8_by_f64(const downhill_weights_f32 *weights,
                                      const downhill_gradient_f64 *grad,
                                      struct update_factors factors, struct packed_u8 *p)
{
    const struct update update = {.factors = factors, .f64 = grad};
    update_and_pack(p, weights, &update);
}

void downhill_update_packed_u8_by_one(const downhill_weights_f32 *weights, const uint8_t *x,
                                      const int16_t *dscores, struct update_factors factors,
                                      int32_t *x_i32, struct packed_u8 *p)
{
    for (size_t k = 0; k < p->d; k++)
        x_i32[k] = x[k];
    const struct update update = {factors, NULL, x_i32, 0, NULL, dscores};
    update_and_pack(p, weights, &update);
}
