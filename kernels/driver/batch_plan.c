/* SPDX-License-Identifier: MIT */
#include "driver/batch_plan.h"

#include "isa/select.h"

struct plan downhill_batch_plan(const downhill_kernels *kernels, const struct batch_view *batch,
                                enum operation operation, size_t d, size_t c, size_t ldw,
                                size_t lddw)
{
    const struct plan_shape shape = {.operation = operation,
                                     .element = batch->element,
                                     .n = batch->n,
                                     .d = d,
                                     .c = c,
                                     .x_bytes = matrix_bytes(batch),
                                     .ldx = batch->ldx,
                                     .ldw = ldw,
                                     .lddw = lddw};
    const struct cache_sizes caches = downhill_cache_sizes();
    return downhill_make_plan(kernels, &caches, &shape);
}
