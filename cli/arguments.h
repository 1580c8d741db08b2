/* SPDX-License-Identifier: MIT
 *
 * The arguments of a command, back from its configuration: for results that say how they were made, and for
 * going on as before. */
#ifndef DOWNHILL_CLI_ARGUMENTS_H
#define DOWNHILL_CLI_ARGUMENTS_H

#include "options.h"

#include <jansson.h>

/* The words that set what differs from `defaults`, options of these names left out (NULL behind the last). */
json_t *arguments_to_json(const cli_command *command, const void *config, const void *defaults,
                          const char *const *left_out);

/* Fills in *config from such words, which must outlive it. Returns CLI_CONTINUE or an exit code, as
 * cli_parse(). */
int arguments_from_json(const cli_command *command, void *config, const json_t *words);

#endif
