/* SPDX-License-Identifier: MIT
 *
 * The commands that run the Python script of their name. */
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
                            .run = run};

const cli_command cli_compare = {.name = "compare",
                                 .operands = "A.json B.json...",
                                 .summary = "Tell which rows of two runs differ, and by how much.",
                                 .run = run};

const cli_command cli_gallery = {.name = "gallery",
                                 .operands = "DIR",
                                 .summary = "Put results of several CPUs on one HTML page.",
                                 .run = run};

const cli_command cli_plot = {.name = "plot",
                              .operands = "INPUT",
                              .summary = "Draw one picture of results or of a model.",
                              .run = run};

const cli_command cli_report = {.name = "report",
                                .operands = "RESULTS.json...",
                                .summary = "Draw an HTML and a Markdown report from results.",
                                .run = run};
