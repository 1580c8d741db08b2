/* SPDX-License-Identifier: MIT
 *
 * downhill compare: runs the Python script of that name. */
#include "options.h"
#include "script.h"

static int run(const cli_command *self, int argc, char **argv)
{
    (void)argc;
    return script_run(self->name, argv);
}

const cli_command cli_compare = {.name = "compare",
                                 .operands = "A.json B.json...",
                                 .summary = "Tell which rows of two runs differ, and by how much.",
                                 .options = NULL,
                                 .n_options = 0,
                                 .run = run};
