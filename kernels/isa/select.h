/* SPDX-License-Identifier: MIT
 *
 * What is known of this machine, and which level that makes the default. */
#ifndef DOWNHILL_SELECT_H
#define DOWNHILL_SELECT_H

#include "isa/caches.h"

/* Returns the sizes of the caches of the core on which the library was used first: CPUID is asked once, because it
 * takes microseconds in a virtual machine. Other cores of a hybrid CPU may have other caches. */
struct cache_sizes downhill_cache_sizes(void);

/* Number of the level, in the order of levels.def, that a machine with these usable features
 * (cpu.h) gets. Pure; for downhill_select and for the tests of recorded CPUs. */
size_t downhill_level_choose(uint32_t usable);

#endif
