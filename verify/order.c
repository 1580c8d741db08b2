/* SPDX-License-Identifier: MIT */
#include "order.h"

#include "isa/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output {
    const char *name;
    const guarded *matrix;
};

/* Lists the outputs of an operation that are sums in f32. Returns their number. An update has none:
 * its bits are compared with the definition at every level. */
static size_t list_outputs(const workbench *b, const verify_case *v, verify_kernel kernel,
                           struct output outputs[ORDER_OUTPUTS_MAX])
{
    const struct output scores = {"scores", &b->scores}, dscores = {"dscores", &b->dscores},
                        dw = {"dw", &b->dw}, db = {"db", &b->db}, w = {"w", &b->w},
                        bias = {"b", &b->b};
    size_t count = 0;
    switch (verify_kernels[kernel].kind) {
    case KIND_SCORE:
        outputs[count++] = scores;
        break;
    case KIND_HINGE:
    case KIND_SOFTMAX:
        outputs[count++] = v->in_place ? scores : dscores;
        break;
    case KIND_STEP_HINGE:
    case KIND_STEP_SOFTMAX:
        outputs[count++] = w;
        if (v->bias)
            outputs[count++] = bias;
        __attribute__((fallthrough));
    case KIND_GRAD:
        outputs[count++] = dw;
        if (v->bias)
            outputs[count++] = db;
        break;
    case KIND_UPDATE:
        break;
    }
    return count;
}

bool order_bits_open(order_bits *bits, uint64_t seed)
{
    size_t max = 0;
    for (size_t i = 0; i < verify_case_count(); i++) {
        const verify_case v = verify_case_at(seed, i);
        const size_t rows = v.n > v.d ? v.n : v.d;
        max = rows * v.c > max ? rows * v.c : max;
    }
    bool good = true;
    for (size_t i = 0; i < ORDER_OUTPUTS_MAX; i++)
        good = (bits->outputs[i] = calloc(max, sizeof *bits->outputs[i])) != NULL && good;
    if (!good)
        order_bits_close(bits);
    return good;
}

void order_bits_close(order_bits *bits)
{
    for (size_t i = 0; i < ORDER_OUTPUTS_MAX; i++)
        free(bits->outputs[i]);
    memset(bits, 0, sizeof *bits);
}

bool order_is_fixed(const downhill_kernels *kernels, enum element element)
{
    return element == ELEMENT_F32    ? kernels->fixed_order_f32
           : element == ELEMENT_BF16 ? kernels->fixed_order_bf16
                                     : false;
}

void order_bits_take(order_bits *bits, const workbench *b, const verify_case *v,
                     verify_kernel kernel)
{
    struct output outputs[ORDER_OUTPUTS_MAX];
    const size_t count = list_outputs(b, v, kernel, outputs);
    for (size_t o = 0; o < count; o++) {
        const guarded *g = outputs[o].matrix;
        for (size_t i = 0; i < g->rows; i++)
            memcpy(bits->outputs[o] + i * g->columns, (const float *)g->data + i * g->ld,
                   g->columns * sizeof(float));
    }
    bits->loss = b->loss;
}

static bool same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)) || (a == 0.0f && b == 0.0f);
}

static bool same_output(workbench *b, const struct output *output, const float *want)
{
    const guarded *g = output->matrix;
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->columns; j++) {
            const float got = ((const float *)g->data)[i * g->ld + j];
            if (same_bits(got, want[i * g->columns + j]))
                continue;
            snprintf(b->failure, sizeof b->failure,
                     "%s[%zu][%zu] is %a; in the fixed order of sums it is %a", output->name, i, j,
                     (double)got, (double)want[i * g->columns + j]);
            return false;
        }
    return true;
}

bool order_bits_same(const order_bits *bits, workbench *b, const verify_case *v,
                     verify_kernel kernel)
{
    const enum verify_kind kind = verify_kernels[kernel].kind;
    struct output outputs[ORDER_OUTPUTS_MAX];
    const size_t count = list_outputs(b, v, kernel, outputs);
    for (size_t o = 0; o < count; o++)
        if (!same_output(b, &outputs[o], bits->outputs[o]))
            return false;
    /* The loss of a step may be summed in other blocks. */
    if ((kind != KIND_HINGE && kind != KIND_SOFTMAX) || b->loss == bits->loss ||
        (isnan(b->loss) && isnan(bits->loss)))
        return true;
    snprintf(b->failure, sizeof b->failure, "loss is %a; in the fixed order of sums it is %a",
             b->loss, bits->loss);
    return false;
}
