/* SPDX-License-Identifier: MIT
 *
 * What can be done with data. */
#ifndef DOWNHILL_CLI_CMD_DATA_H
#define DOWNHILL_CLI_CMD_DATA_H

#include "options.h"

extern const cli_command cli_data_gen, cli_data_check;

/* The first member of their configurations. */
typedef struct data_config {
    const char *json;
    bool quiet;
} data_config;

extern const cli_group data_options;

/* Does anything go to standard output that is for people? */
bool data_prints(const data_config *config);

#endif
