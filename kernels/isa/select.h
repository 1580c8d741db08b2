/* SPDX-License-Identifier: MIT
 *
 * Cache sizes of this machine, and the choice of the default level. */
#ifndef DOWNHILL_SELECT_H
#define DOWNHILL_SELECT_H

#include "isa/caches.h"

/* Returns the cache sizes of the core on which the library was first used. They are read once,
 * because CPUID takes microseconds in a virtual machine. Other cores of a hybrid CPU may have
 * other caches. */
struct cache_sizes downhill_cache_sizes(void);

/* Returns the index of the default level, in the order of levels.def, for a machine with these
 * usable features (cpu.h). A pure function, so that tests can pass the features of recorded
 * CPUs. */
size_t downhill_level_choose(uint32_t usable);

#endif
