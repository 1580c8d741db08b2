/* SPDX-License-Identifier: MIT
 *
 * downhill ab: runs the Python script of that name. */
#include "options.h"
#include "script.h"

static int run(const cli_command *self, int argc, char **argv)
{
    (void)argc;
    return script_run(self->name, argv);
}

const cli_command cli_ab = {.name = "ab",
                            .operands = "OLD NEW",
                            .summary = "Tell which rows a change of the library makes slower.",
                            .options = NULL,
                            .n_options = 0,
                            .run = run};
