/* SPDX-License-Identifier: MIT
 *
 * The machine record: properties of the machine, its settings and its container that matter for a
 * benchmark. Each entry has a value or the reason why it is unknown, never a guess. */
#ifndef DOWNHILL_BASE_RECORD_H
#define DOWNHILL_BASE_RECORD_H

#include "machine.h"

#include <jansson.h>

/* Returns an array of {"group", "key", "value": text or null, "reason": why it is null,
 * "stable"}. */
json_t *record_to_json(const machine *m, const char *root);

enum { RECORD_ID_SIZE = 15 };

/* Writes "m-" and 12 hexadecimal digits, a hash of the stable entries only: it does not change
 * with a reboot, the load, the kernel or the governor. Identical machines, such as virtual
 * machines of one type, share it. */
void record_id(const json_t *record, char id[RECORD_ID_SIZE]);

/* Returns the value of an entry, or NULL. */
const char *record_value(const json_t *record, const char *key);

#endif
