/* SPDX-License-Identifier: MIT
 *
 * The functions of a build of the library that rows call: the build that this program is linked
 * with, or one that is loaded at run time to be compared with another (lockstep.h). */
#ifndef DOWNHILL_BENCH_LIBRARY_H
#define DOWNHILL_BENCH_LIBRARY_H

#include "downhill.h"

#include <stdbool.h>
#include <stddef.h>

#define LIBRARY_FUNCTIONS(F)                                                                       \
    F(version)                                                                                     \
    F(select)                                                                                      \
    F(score_f32)                                                                                   \
    F(score_bf16)                                                                                  \
    F(score_u8)                                                                                    \
    F(hinge_f32)                                                                                   \
    F(hinge_u8)                                                                                    \
    F(softmax_f32)                                                                                 \
    F(softmax_u8)                                                                                  \
    F(grad_f32)                                                                                    \
    F(grad_bf16)                                                                                   \
    F(grad_u8)                                                                                     \
    F(update_f32)                                                                                  \
    F(update_u8)                                                                                   \
    F(step_f32)                                                                                    \
    F(step_bf16)                                                                                   \
    F(step_u8)                                                                                     \
    F(pack_u8)                                                                                     \
    F(packed_u8_bytes)

typedef struct library {
#define POINTER(name) __typeof__(&downhill_##name) name;
    LIBRARY_FUNCTIONS(POINTER)
#undef POINTER
} library;

/* The build that this program is linked with. */
extern const library library_linked;

/* Loads a build from the file `path`, for as long as the process runs. It is loaded even if it is
 * the same file as an earlier one. Returns false and sets `why` on failure, also if a function is
 * missing. */
bool library_load(const char *path, library *out, char *why, size_t why_size);

#endif
