/* SPDX-License-Identifier: MIT
 *
 * The machine record: what a reader of a benchmark wants to know of the machine, its settings and its
 * container; each a value, or why it is not known. Never a made-up "no". */
#ifndef DOWNHILL_BASE_RECORD_H
#define DOWNHILL_BASE_RECORD_H

#include "machine.h"

#include <jansson.h>

/* An array of {"group", "key", "value": text or null, "reason": why it is null, "stable"}. */
json_t *record_to_json(const machine *m, const char *root);

enum { RECORD_ID_SIZE = 15 };

/* "m-" and twelve digits, made of the stable entries alone: the same after a reboot, under another load,
 * kernel or governor. Machines of one model, as virtual ones of one kind, share it. */
void record_id(const json_t *record, char id[RECORD_ID_SIZE]);

/* The value of an entry, or NULL. */
const char *record_value(const json_t *record, const char *key);

#endif
