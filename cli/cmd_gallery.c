/* SPDX-License-Identifier: MIT
 *
 * downhill gallery: runs the Python script of that name. */
#include "options.h"
#include "script.h"

static int run(const cli_command *self, int argc, char **argv)
{
    (void)argc;
    return script_run(self->name, argv);
}

const cli_command cli_gallery = {.name = "gallery",
                                 .operands = "DIR",
                                 .summary = "Put results of several CPUs on one HTML page.",
                                 .options = NULL,
                                 .n_options = 0,
                                 .run = run};
