/* SPDX-License-Identifier: MIT
 *
 * The two commands of downhill data, and the options they share. */
#ifndef DOWNHILL_CLI_CMD_DATA_H
#define DOWNHILL_CLI_CMD_DATA_H

#include "options.h"

extern const cli_command cli_data_gen, cli_data_check;

/* First member of the configurations of both commands. */
typedef struct data_config {
    const char *json;
    bool quiet;
} data_config;

extern const cli_group data_options;

/* Returns whether the command prints text to standard output, which --quiet and --json -
 * prevent. */
bool data_prints(const data_config *config);

#endif
