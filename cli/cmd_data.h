/* SPDX-License-Identifier: MIT
 *
 * What can be done with data. */
#ifndef DOWNHILL_CLI_CMD_DATA_H
#define DOWNHILL_CLI_CMD_DATA_H

#include "options.h"

extern const cli_command cli_data_gen, cli_data_check;

#endif
