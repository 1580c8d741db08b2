/* SPDX-License-Identifier: MIT
 *
 * Removes environment variables that must not reach the libraries of the program. */
#ifndef DOWNHILL_BASE_ENVIRONMENT_H
#define DOWNHILL_BASE_ENVIRONMENT_H

#include <stddef.h>

/* Returns the i-th variable that was removed before main(), as "NAME=VALUE", or NULL after the
 * last. */
const char *environment_removed(size_t i);

#endif
