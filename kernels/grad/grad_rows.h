/* SPDX-License-Identifier: MIT
 *
 * Entry points of the gradient by whole rows, for the sources that define few_classes(). */
#ifndef DOWNHILL_GRAD_ROWS_H
#define DOWNHILL_GRAD_ROWS_H

#include "isa/kernels.h"
#include "simd/prefetch.h"

/* One function per number of classes, out of line, so that the compiler allocates the registers of each loop for itself. */
#define FEW_OF(name, element, prefetches, classes)                                                 \
    DOWNHILL_TARGET                                                                                \
    static __attribute__((noinline)) void name(size_t n, size_t d, const void *const *x,           \
                                               const float *dscores, size_t ldds, unsigned flags,  \
                                               float *dw, size_t lddw, struct prefetch *prefetch)  \
    {                                                                                              \
        few_classes(element, prefetches, classes, n, d, x, dscores, ldds, flags, dw, lddw,         \
                    prefetch);                                                                     \
    }

FEW_OF(few_f32_1, ELEMENT_F32, false, 1)
FEW_OF(few_f32_2, ELEMENT_F32, false, 2)
FEW_OF(few_f32_3, ELEMENT_F32, false, 3)
FEW_OF(few_bf16_1, ELEMENT_BF16, false, 1)
FEW_OF(few_bf16_2, ELEMENT_BF16, false, 2)
FEW_OF(few_bf16_3, ELEMENT_BF16, false, 3)
FEW_OF(few_f32_prefetch_1, ELEMENT_F32, true, 1)
FEW_OF(few_f32_prefetch_2, ELEMENT_F32, true, 2)
FEW_OF(few_f32_prefetch_3, ELEMENT_F32, true, 3)
FEW_OF(few_bf16_prefetch_1, ELEMENT_BF16, true, 1)
FEW_OF(few_bf16_prefetch_2, ELEMENT_BF16, true, 2)
FEW_OF(few_bf16_prefetch_3, ELEMENT_BF16, true, 3)

typedef void few_kernel(size_t n, size_t d, const void *const *x, const float *dscores, size_t ldds,
                        unsigned flags, float *dw, size_t lddw, struct prefetch *prefetch);

/* By the number of classes, minus 1. */
static few_kernel *const few_f32[] = {few_f32_1, few_f32_2, few_f32_3};
static few_kernel *const few_bf16[] = {few_bf16_1, few_bf16_2, few_bf16_3};
static few_kernel *const few_f32_prefetch[] = {few_f32_prefetch_1, few_f32_prefetch_2,
                                               few_f32_prefetch_3};
static few_kernel *const few_bf16_prefetch[] = {few_bf16_prefetch_1, few_bf16_prefetch_2,
                                                few_bf16_prefetch_3};

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_rows_f32)(size_t n, size_t d, size_t c, const void *const *x,
                                  const float *dscores, size_t ldds, unsigned flags, float *dw,
                                  size_t lddw, struct prefetch *prefetch)
{
    few_kernel *const *few = prefetch->left > 0 ? few_f32_prefetch : few_f32;
    few[c - 1](n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
}

DOWNHILL_TARGET
void DOWNHILL_NAME(grad_rows_bf16)(size_t n, size_t d, size_t c, const void *const *x,
                                   const float *dscores, size_t ldds, unsigned flags, float *dw,
                                   size_t lddw, struct prefetch *prefetch)
{
    few_kernel *const *few = prefetch->left > 0 ? few_bf16_prefetch : few_bf16;
    few[c - 1](n, d, x, dscores, ldds, flags, dw, lddw, prefetch);
}

#endif
