/* SPDX-License-Identifier: MIT
 *
 * Arguments that all calls of a row have in common. */
#ifndef DOWNHILL_BENCH_CALLER_H
#define DOWNHILL_BENCH_CALLER_H

#include "library.h"

struct team; /* parallel/team.h */

typedef struct caller {
    const library *library;
    const downhill_kernels *kernels; /* of the level; NULL: the default level */
    struct team *team; /* threads of the linked build that share each call, which only kernels with
                        * BENCH_TRAIT_THREADS support; NULL: the calling thread alone */
} caller;

#endif
