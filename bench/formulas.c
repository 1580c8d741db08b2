/* SPDX-License-Identifier: MIT */
#include "formulas.h"

#include <stdio.h>
#include <string.h>

/* Working sets. */
#define HOLDS_PRODUCT                                                                              \
    {                                                                                              \
        .nd = 4, .dc = 4, .nc = 4, .c = 4                                                          \
    }
#define HOLDS_LOSS                                                                                 \
    {                                                                                              \
        .nc = 8, .n = 4                                                                            \
    }
#define HOLDS_STEP                                                                                 \
    {                                                                                              \
        .nd = 4, .dc = 8, .c = 8, .n = 4                                                           \
    }

const bench_formula bench_formulas[BENCH_KERNEL_COUNT] = {
    [BENCH_SCORE] = {"score_f32",
                     "score_f32",
                     {.nd_c = 2, .nc = 1},
                     {.nd = 4, .dc = 4, .nc = 4, .c = 4},
                     HOLDS_PRODUCT,
                     "scores of a batch, bias included",
                     ELEMENT_F32},
    [BENCH_PACK] = {"pack_f32",
                    "pack_f32",
                    {.dc = 1},
                    {.dc = 8},
                    {.dc = 8},
                    "weights in the order of the scores of many samples, part of these and of the "
                    "step; one operation is credited for each, n plays no part",
                    ELEMENT_F32},
    [BENCH_PACK_BF16] = {"pack_bf16",
                         "pack_f32",
                         {.dc = 1},
                         {.dc = 8},
                         {.dc = 8},
                         "the same, each weight split into two bf16",
                         ELEMENT_BF16},
    [BENCH_HINGE] = {"hinge_f32",
                     "hinge_f32",
                     {.nc = 4},
                     {.nc = 8, .n = 4},
                     HOLDS_LOSS,
                     "loss and dscores: subtract, add, compare, sum per score",
                     ELEMENT_F32},
    [BENCH_SOFTMAX] = {"softmax_f32",
                       "softmax_f32",
                       {.nc = 20},
                       {.nc = 8, .n = 4},
                       HOLDS_LOSS,
                       "loss and dscores; an exponential is counted as 16 operations",
                       ELEMENT_F32},
    [BENCH_GRAD] = {"grad_f32",
                    "grad_f32",
                    {.nd_c = 2, .nc = 1},
                    {.nd = 4, .dc = 4, .nc = 4, .c = 4},
                    HOLDS_PRODUCT,
                    "gradient of W and b, overwritten",
                    ELEMENT_F32},
    [BENCH_UPDATE] = {"update_f32",
                      "update_f32",
                      {.dc = 3, .c = 3},
                      {.dc = 12, .c = 12},
                      {.dc = 8, .c = 8},
                      "weights and bias, decay included; n plays no part",
                      ELEMENT_F32},
    [BENCH_STEP_HINGE] = {"step_hinge_f32",
                          "step_hinge_f32",
                          {.nd_c = 4, .nc = 6, .dc = 3, .c = 3},
                          {.nd = 4, .dc = 20, .c = 20, .n = 4},
                          HOLDS_STEP,
                          "the fused step, no sample meeting every margin: X read once, W read "
                          "twice and written, dW written and read",
                          ELEMENT_F32},
    [BENCH_STEP_HINGE_MET50] = {"step_hinge_met50_f32",
                                "step_hinge_f32",
                                {.nd_c = 3, .nc = 6, .dc = 3, .c = 3},
                                {.nd = 4, .dc = 20, .c = 20, .n = 4},
                                HOLDS_STEP,
                                "the fused step; half of the samples meet every margin and are "
                                "left out of the gradient",
                                ELEMENT_F32},
    [BENCH_STEP_HINGE_MET95] = {"step_hinge_met95_f32",
                                "step_hinge_f32",
                                {.nd_c = 2.1, .nc = 6, .dc = 3, .c = 3},
                                {.nd = 4, .dc = 20, .c = 20, .n = 4},
                                HOLDS_STEP,
                                "the same, 95 % of the samples",
                                ELEMENT_F32},
    [BENCH_CHAIN_HINGE] =
        {"chain_hinge_f32",
         "step_hinge_f32",
         {.nd_c = 4, .nc = 6, .dc = 3, .c = 3},
         {.nd = 4, .dc = 20, .c = 20, .n = 4},
         HOLDS_STEP,
         "score, hinge, grad, update as four calls over the whole batch; credited "
         "with the bytes of the fused step, so that the rates compare",
         ELEMENT_F32},
    [BENCH_STEP_SOFTMAX] = {"step_softmax_f32",
                            "step_softmax_f32",
                            {.nd_c = 4, .nc = 22, .dc = 3, .c = 3},
                            {.nd = 4, .dc = 20, .c = 20, .n = 4},
                            HOLDS_STEP,
                            "the fused step with softmax",
                            ELEMENT_F32},
    [BENCH_EPOCH_HINGE] = {"epoch_hinge_f32",
                           "epoch_hinge_f32",
                           {.nd_c = 4, .nc = 6},
                           {.nd = 4, .n = 4},
                           HOLDS_STEP,
                           "fused steps of 256 samples through all n, in the order of memory; W "
                           "stays in cache, and the updates are not credited",
                           ELEMENT_F32},
    [BENCH_EPOCH_HINGE_SHUFFLED] = {"epoch_hinge_shuffled_f32",
                                    "epoch_hinge_f32",
                                    {.nd_c = 4, .nc = 6},
                                    {.nd = 4, .n = 4},
                                    HOLDS_STEP,
                                    "the same in random order; a library whose products want "
                                    "neighbouring rows first copies those of each step together",
                                    ELEMENT_F32},
    [BENCH_SCORE_BF16] = {"score_bf16",
                          "score_f32",
                          {.nd_c = 2, .nc = 1},
                          {.nd = 2, .dc = 4, .nc = 4, .c = 4},
                          {.nd = 2, .dc = 4, .nc = 4, .c = 4},
                          "score_f32 on features in bf16",
                          ELEMENT_BF16},
    [BENCH_GRAD_BF16] = {"grad_bf16",
                         "grad_f32",
                         {.nd_c = 2, .nc = 1},
                         {.nd = 2, .dc = 4, .nc = 4, .c = 4},
                         {.nd = 2, .dc = 4, .nc = 4, .c = 4},
                         "grad_f32 on features in bf16",
                         ELEMENT_BF16},
    [BENCH_GRAD_HINGE_BF16] =
        {"grad_hinge_bf16",
         "grad_f32",
         {.nd_c = 2, .nc = 1},
         {.nd = 2, .dc = 4, .nc = 4, .c = 4},
         {.nd = 2, .dc = 4, .nc = 4, .c = 4},
         "grad_bf16 with the dscores of the hinge loss, small integers, which "
         "bf16 holds",
         ELEMENT_BF16},
    [BENCH_STEP_HINGE_BF16] = {"step_hinge_bf16",
                               "step_hinge_f32",
                               {.nd_c = 4, .nc = 6, .dc = 3, .c = 3},
                               {.nd = 2, .dc = 20, .c = 20, .n = 4},
                               {.nd = 2, .dc = 8, .c = 8, .n = 4},
                               "step_hinge_f32 on features in bf16",
                               ELEMENT_BF16},
    [BENCH_EPOCH_HINGE_BF16] = {"epoch_hinge_bf16",
                                "epoch_hinge_f32",
                                {.nd_c = 4, .nc = 6},
                                {.nd = 2, .n = 4},
                                {.nd = 2, .dc = 8, .c = 8, .n = 4},
                                "epoch_hinge_f32 on features in bf16",
                                ELEMENT_BF16},
    [BENCH_SCORE_U8] = {"score_u8",
                        "score_f32",
                        {.nd_c = 2, .nc = 1},
                        {.nd = 1, .dc = 2, .nc = 8, .c = 8},
                        {.nd = 1, .dc = 2, .nc = 8, .c = 8},
                        "exact scores of bytes and packed weights of 16 bits",
                        ELEMENT_U8},
    [BENCH_HINGE_U8] = {"hinge_u8",
                        "hinge_f32",
                        {.nc = 4},
                        {.nc = 10, .n = 4},
                        {.nc = 10, .n = 4},
                        "hinge_f32 on exact scores in f64, to dscores of 16 bits",
                        ELEMENT_U8},
    [BENCH_GRAD_U8] = {"grad_u8",
                       "grad_f32",
                       {.nd_c = 2, .nc = 1},
                       {.nd = 1, .dc = 4, .nc = 2, .c = 4},
                       {.nd = 1, .dc = 4, .nc = 2, .c = 4},
                       "exact gradient of bytes, with the dscores of the hinge loss, in integers",
                       ELEMENT_U8},
    [BENCH_UPDATE_U8] = {"update_u8",
                         "update_f32",
                         {.dc = 3, .c = 3},
                         {.dc = 14, .c = 12},
                         {.dc = 10, .c = 8},
                         "update_f32 from a gradient in integers, and the new weights rounded to "
                         "16 bits and packed, which is credited with no operation; n plays no part",
                         ELEMENT_U8},
    [BENCH_UPDATE_NORMALISED_U8] = {"update_normalised_u8",
                                    "update_f32",
                                    {.dc = 6, .c = 3},
                                    {.dc = 22, .c = 12},
                                    {.dc = 10, .c = 8},
                                    "the same with a mean and a scale for each feature",
                                    ELEMENT_U8},
    [BENCH_STEP_HINGE_U8] = {"step_hinge_u8",
                             "step_hinge_f32",
                             {.nd_c = 4, .nc = 6, .dc = 3, .c = 3},
                             {.nd = 1, .dc = 20, .c = 20, .n = 4},
                             {.nd = 1, .dc = 10, .c = 12, .n = 4},
                             "the fused step on bytes, exact: the same bits on every level",
                             ELEMENT_U8},
    [BENCH_EPOCH_HINGE_U8] = {"epoch_hinge_u8",
                              "epoch_hinge_f32",
                              {.nd_c = 4, .nc = 6},
                              {.nd = 1, .n = 4},
                              {.nd = 1, .dc = 10, .c = 12, .n = 4},
                              "epoch_hinge_f32 on bytes, exact",
                              ELEMENT_U8},
    [BENCH_EPOCH_HINGE_SHUFFLED_U8] = {"epoch_hinge_shuffled_u8",
                                       "epoch_hinge_f32",
                                       {.nd_c = 4, .nc = 6},
                                       {.nd = 1, .n = 4},
                                       {.nd = 1, .dc = 10, .c = 12, .n = 4},
                                       "the same in random order",
                                       ELEMENT_U8},
    [BENCH_READ_U8] = {"read_u8",
                       "epoch_hinge_f32",
                       {.nd = 1},
                       {.nd = 1},
                       {.nd = 1},
                       "one load from every cache line of the samples of an epoch, in the order of "
                       "memory; one operation is credited for each byte",
                       ELEMENT_U8},
    [BENCH_READ_SHUFFLED_U8] = {"read_shuffled_u8",
                                "epoch_hinge_f32",
                                {.nd = 1},
                                {.nd = 1},
                                {.nd = 1},
                                "the same in random order",
                                ELEMENT_U8},
};

enum ceiling_products bench_products(bench_kernel kernel)
{
    switch (kernel) {
    case BENCH_SCORE_U8:
        return PRODUCTS_WEIGHTS_U8;
    case BENCH_GRAD_U8:
        return PRODUCTS_DSCORES_U8;
    case BENCH_STEP_HINGE_U8:
    case BENCH_EPOCH_HINGE_U8:
    case BENCH_EPOCH_HINGE_SHUFFLED_U8:
        return PRODUCTS_STEP_U8;
    default:
        return bench_formulas[kernel].element == ELEMENT_BF16 ? PRODUCTS_BF16 : PRODUCTS_F32;
    }
}

uint32_t bench_proofs(bench_kernel kernel)
{
#define PROOF(op) (UINT32_C(1) << VERIFY_##op)
    switch (kernel) {
    case BENCH_SCORE:
    case BENCH_PACK:
        return PROOF(SCORE);
    case BENCH_SCORE_BF16:
    case BENCH_PACK_BF16:
        return PROOF(SCORE_BF16);
    case BENCH_SCORE_U8:
        return PROOF(SCORE_U8);
    case BENCH_HINGE:
        return PROOF(HINGE);
    case BENCH_HINGE_U8:
        return PROOF(HINGE_U8);
    case BENCH_SOFTMAX:
        return PROOF(SOFTMAX);
    case BENCH_GRAD:
        return PROOF(GRAD);
    case BENCH_GRAD_BF16:
    case BENCH_GRAD_HINGE_BF16:
        return PROOF(GRAD_BF16);
    case BENCH_GRAD_U8:
        return PROOF(GRAD_U8);
    case BENCH_UPDATE:
        return PROOF(UPDATE);
    case BENCH_UPDATE_U8:
    case BENCH_UPDATE_NORMALISED_U8:
        return PROOF(UPDATE_U8);
    case BENCH_STEP_HINGE:
    case BENCH_STEP_HINGE_MET50:
    case BENCH_STEP_HINGE_MET95:
    case BENCH_EPOCH_HINGE:
    case BENCH_EPOCH_HINGE_SHUFFLED:
        return PROOF(STEP_HINGE);
    case BENCH_STEP_HINGE_BF16:
    case BENCH_EPOCH_HINGE_BF16:
        return PROOF(STEP_HINGE_BF16);
    case BENCH_CHAIN_HINGE:
        return PROOF(SCORE) | PROOF(HINGE) | PROOF(GRAD) | PROOF(UPDATE);
    case BENCH_STEP_SOFTMAX:
        return PROOF(STEP_SOFTMAX);
    case BENCH_STEP_HINGE_U8:
    case BENCH_EPOCH_HINGE_U8:
    case BENCH_EPOCH_HINGE_SHUFFLED_U8:
    case BENCH_READ_U8: /* reads what the epochs read, and is nothing without them */
    case BENCH_READ_SHUFFLED_U8:
        return PROOF(STEP_U8);
    case BENCH_KERNEL_COUNT:
        break;
    }
#undef PROOF
    return 0; /* all */
}

bool bench_is_epoch(bench_kernel kernel)
{
    return strcmp(bench_formulas[kernel].group, bench_formulas[BENCH_EPOCH_HINGE].group) == 0;
}

double polynomial_value(const polynomial *p, size_t n, size_t d, size_t c)
{
    const double fn = (double)n, fd = (double)d, fc = (double)c;
    return p->nd_c * fn * fd * fc + p->nd * fn * fd + p->dc * fd * fc + p->nc * fn * fc +
           p->c * fc + p->n * fn;
}

void polynomial_text(const polynomial *p, char *text, size_t size)
{
    const struct {
        double coefficient;
        const char *product;
    } terms[] = {{p->nd_c, "n*d*c"}, {p->nd, "n*d"}, {p->dc, "d*c"},
                 {p->nc, "n*c"},     {p->c, "c"},    {p->n, "n"}};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        if (terms[i].coefficient == 0.0)
            continue;
        const size_t used = strlen(text);
        const char *plus = used > 0 ? " + " : "";
        if (terms[i].coefficient == 1.0)
            snprintf(text + used, size - used, "%s%s", plus, terms[i].product);
        else
            snprintf(text + used, size - used, "%s%g*%s", plus, terms[i].coefficient,
                     terms[i].product);
    }
}
