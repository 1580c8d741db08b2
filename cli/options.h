/* SPDX-License-Identifier: MIT
 *
 * One table per command describes its options; parsing and --help both come from it. */
#ifndef DOWNHILL_CLI_OPTIONS_H
#define DOWNHILL_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* const char *; not empty if the metavar is OPTION_FILE */
    OPTION_SIZE,    /* size_t in [min, max] */
    OPTION_COUNT,   /* size_t in [min, max]; "all" is SIZE_MAX */
    OPTION_SEED,    /* uint64_t */
    OPTION_CASE,    /* long, >= 0 */
    OPTION_REAL,    /* float in [min, max] */
    OPTION_DOUBLE,  /* double in [min, max] */
    OPTION_SECONDS, /* double in [min, max]; "0.5", "0.5s" or "500ms" */
    OPTION_SHARE,   /* double in [min, max]; "0.01" or "1%" */
    OPTION_CHOICE,  /* int: first_choice plus the index of the word in `choices` */
    OPTION_EACH,    /* option_list: may be given more than once */
} option_kind;

/* The metavar of an option that names a file. */
#define OPTION_FILE "FILE"

enum { OPTION_LIST_MAX = 64 };

typedef struct option_list {
    size_t count;
    const char *values[OPTION_LIST_MAX];
} option_list;

typedef struct cli_option {
    const char *name;
    option_kind kind;
    const char *metavar; /* NULL for a flag */
    const char *help;
    size_t offset; /* of its member in the configuration of the command */
    double min, max;
    bool below_max;      /* max itself is refused */
    const char *choices; /* separated by '|' */
    int first_choice;    /* value of the first one */
    char letter;         /* short name, or 0 */
    const char *heading; /* if not NULL, printed by --help above this option */
} cli_option;

/* Options shared by several commands, whose configurations then begin with the same member. */
typedef struct cli_group {
    const cli_option *options;
    size_t n_options;
} cli_group;

enum { CLI_GROUPS_MAX = 5 };

typedef struct cli_command cli_command;

struct cli_command {
    const char *name;
    const char *operands; /* "" if the command takes none */
    const char *summary;
    const cli_option *options; /* options of this command alone, after those of the groups */
    size_t n_options;
    const cli_group *groups[CLI_GROUPS_MAX]; /* NULL after the last */
    /* Offset of a uint64_t in the configuration, with a bit per option that was given; 0: not
     * kept. */
    size_t given;
    int (*run)(const cli_command *self, int argc, char **argv);
};

/* Returns option i of a command, groups first, or NULL past the last. */
const cli_option *cli_option_at(const cli_command *command, size_t i);

/* Returns whether option i was among the arguments. The command must have `given`. */
bool cli_is_given(const cli_command *command, const void *config, size_t i);

enum { CLI_CONTINUE = -1 };

/* Refuses the options in `names` (NULL after the last), which would have no effect: for the first
 * one that was given, prints that it has no meaning `why` and returns EXIT_USAGE. Returns
 * CLI_CONTINUE if none was given. */
int cli_refuse_given(const cli_command *command, const void *config, const char *const *names,
                     const char *why);

/* Parses a time as OPTION_SECONDS does: "0.5", "0.5s", "500ms" or "500us". Sets *has_unit to
 * whether a unit was given. Returns false if the text is not a time. */
bool cli_seconds(const char *text, double *seconds, bool *has_unit);

/* Fills in *config from the arguments (argv[0] is the command's name). Returns CLI_CONTINUE, with
 * the operands from argv[*first_operand] on; or an exit code: EXIT_OK after --help, EXIT_USAGE
 * after a line on stderr. Operands are an error if `operands` of the command is "". */
int cli_parse(const cli_command *command, void *config, int argc, char **argv, int *first_operand);

void cli_print_help(const cli_command *command);

/* Returns the levels to use, given the value of --isa: DOWNHILL_ISA if it is NULL; NULL for "all"
 * or if neither is set. */
const char *cli_default_isa(const char *isa);

extern const cli_command cli_info, cli_doctor, cli_verify, cli_reproduce, cli_bench, cli_ab,
    cli_lockstep, cli_compare, cli_gallery, cli_report, cli_train, cli_predict, cli_gradcheck,
    cli_landscape, cli_step_sweep, cli_plot, cli_data;

#endif
