/* SPDX-License-Identifier: MIT
 *
 * downhill plot: runs the Python script of that name. */
#include "options.h"
#include "script.h"

static int run(const cli_command *self, int argc, char **argv)
{
    (void)argc;
    return script_run(self->name, argv);
}

const cli_command cli_plot = {.name = "plot",
                              .operands = "INPUT",
                              .summary = "Draw one picture of results or of a model.",
                              .options = NULL,
                              .n_options = 0,
                              .run = run};
