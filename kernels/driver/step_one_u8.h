/* SPDX-License-Identifier: MIT
 *
 * The step on a single sample of bytes. */
#ifndef DOWNHILL_STEP_ONE_U8_H
#define DOWNHILL_STEP_ONE_U8_H

#include "driver/batch_view.h"
#include "driver/packed_u8.h"
#include "driver/phase_clock.h"
#include "driver/workspace.h"

/* Performs a step on a batch of one sample that has passed the checks. Returns the loss. */
double downhill_step_one_u8(const downhill_kernels *kernels, const struct batch_view *batch,
                            const downhill_weights_f32 *weights, struct packed_u8 *packed,
                            downhill_loss loss, struct update_factors factors,
                            const struct workspace_u8 *workspace, struct phase_clock *clock);

#endif
