/* SPDX-License-Identifier: MIT
 *
 * Converts the configuration of a command back to arguments: results record how they were made, and
 * a resumed run starts with the options of the first one. */
#ifndef DOWNHILL_CLI_ARGUMENTS_H
#define DOWNHILL_CLI_ARGUMENTS_H

#include "options.h"

#include <jansson.h>

/* Returns the arguments that set every option that differs from `defaults`, except the options
 * named in `left_out` (NULL after the last). */
json_t *arguments_to_json(const cli_command *command, const void *config, const void *defaults,
                          const char *const *left_out);

/* Fills in *config from such arguments, which must outlive it. Returns CLI_CONTINUE or an exit
 * code, as cli_parse() does. */
int arguments_from_json(const cli_command *command, void *config, const json_t *words);

#endif
