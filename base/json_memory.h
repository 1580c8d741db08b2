/* SPDX-License-Identifier: MIT
 *
 * Records whether any allocation of jansson failed. The document alone does not show it: an array
 * is silently shorter, or a text that is read ends early. */
#ifndef DOWNHILL_BASE_JSON_MEMORY_H
#define DOWNHILL_BASE_JSON_MEMORY_H

#include <stdbool.h>

/* Starts recording. Call this before the first use of jansson. */
void json_memory_watch(void);

/* Returns whether an allocation failed. If so, no document that this process made or read can be
 * trusted. */
bool json_memory_failed(void);

#endif
