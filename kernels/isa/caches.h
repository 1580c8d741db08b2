/* SPDX-License-Identifier: MIT
 *
 * Sizes of the data caches, as CPUID describes them. */
#ifndef DOWNHILL_CACHES_H
#define DOWNHILL_CACHES_H

#include "isa/cpu.h"

#include <stddef.h>

/* Bytes of one instance of each cache: of the L1d of one core, of the L3 that some cores share. */
struct cache_sizes {
    size_t l1d, l2;
    size_t l3; /* 0: no L3 is known */
};

/* Sizes on a CPU that does not describe its caches, and on targets other than x86-64. */
enum { L1D_DEFAULT = 32 * 1024, L2_DEFAULT = 512 * 1024 };

/* Returns the cache sizes of the current core. If CPUID reports none for L1d or L2, or an
 * implausible one, it is the default. A pure function of the source. Leaves above the maximum
 * that CPUID reports are never read. */
struct cache_sizes downhill_caches_detect(const cpu_source *source);

#endif
