/* SPDX-License-Identifier: MIT
 *
 * Commands that are Python scripts. */
#ifndef DOWNHILL_CLI_SCRIPT_H
#define DOWNHILL_CLI_SCRIPT_H

/* Hands over to scripts/`name` with these arguments (argv[0] is the command's name). Returns, with a line
 * printed, only where it cannot: EXIT_ENVIRONMENT or EXIT_INTERNAL. */
int script_run(const char *name, char **argv);

#endif
