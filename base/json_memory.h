/* SPDX-License-Identifier: MIT
 *
 * A document whose memory was short somewhere lacks that part, and nothing else about it is wrong: an array is shorter, a
 * text that is read ends early. So it is remembered that an allocation of jansson's failed, whichever it was. */
#ifndef DOWNHILL_BASE_JSON_MEMORY_H
#define DOWNHILL_BASE_JSON_MEMORY_H

#include <stdbool.h>

/* From now on; before the first use of jansson. */
void json_memory_watch(void);

/* Has one failed? Then no document made or read by this process is to be trusted. */
bool json_memory_failed(void);

#endif
