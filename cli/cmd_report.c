/* SPDX-License-Identifier: MIT
 *
 * downhill report: runs the Python script of that name. */
#include "options.h"
#include "script.h"

static int run(const cli_command *self, int argc, char **argv)
{
    (void)argc;
    return script_run(self->name, argv);
}

const cli_command cli_report = {.name = "report",
                                .operands = "RESULTS.json...",
                                .summary = "Draw an HTML and a Markdown report from results.",
                                .options = NULL,
                                .n_options = 0,
                                .run = run};
