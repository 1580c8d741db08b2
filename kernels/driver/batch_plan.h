/* SPDX-License-Identifier: MIT
 *
 * The plan of a call on this machine. */
#ifndef DOWNHILL_BATCH_PLAN_H
#define DOWNHILL_BATCH_PLAN_H

#include "driver/batch_view.h"
#include "driver/plan.h"

/* Makes the plan for a batch that has passed the checks. ldw and lddw: see struct plan_shape; 0 where unused. */
struct plan downhill_batch_plan(const downhill_kernels *kernels, const struct batch_view *batch,
                                enum operation operation, size_t d, size_t c, size_t ldw,
                                size_t lddw);

#endif
