/* SPDX-License-Identifier: MIT
 *
 * Runs commands that are Python scripts. */
#ifndef DOWNHILL_CLI_SCRIPT_H
#define DOWNHILL_CLI_SCRIPT_H

/* Replaces the process with scripts/`name`, with these arguments (argv[0] is the command's name).
 * Returns only on failure, after a line: EXIT_ENVIRONMENT or EXIT_INTERNAL. */
int script_run(const char *name, char **argv);

#endif
