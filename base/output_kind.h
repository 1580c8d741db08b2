/* SPDX-License-Identifier: MIT
 *
 * The kinds of files that the program writes. An output replaces a file of its own kind, or an empty one, and no other. */
#ifndef DOWNHILL_BASE_OUTPUT_KIND_H
#define DOWNHILL_BASE_OUTPUT_KIND_H

#include <jansson.h>

typedef enum output_kind {
    OUTPUT_NONE, /* none of these */
    OUTPUT_NEW,  /* replaces nothing: for names that the program chose */
    /* JSON, known by a member; the first of these that a document has is its kind */
    OUTPUT_REPORT,
    OUTPUT_BENCH,
    OUTPUT_CEILINGS,
    OUTPUT_TRAINING,
    OUTPUT_PREDICTION,
    OUTPUT_GRADCHECK,
    OUTPUT_LANDSCAPE,
    OUTPUT_STEP_SWEEP,
    OUTPUT_FINDINGS,
    OUTPUT_CHECKED,
    OUTPUT_GENERATED,
    OUTPUT_PEERS,
    /* CSV, known by its first line */
    OUTPUT_PREDICTION_CSV,
    OUTPUT_LANDSCAPE_CSV,
    OUTPUT_STEP_SWEEP_CSV,
    /* NPZ, known by its record.json */
    OUTPUT_MODEL,
    OUTPUT_CHECKPOINT,
    OUTPUT_KIND_COUNT
} output_kind;

enum { OUTPUT_WHY_MAX = 256 };

/* Returns the kind of results that a document holds, or OUTPUT_NONE if it has the mark of none. */
output_kind output_kind_of_json(const json_t *root);

/* Returns EXIT_OK if a file of `kind` may replace what is at `path`, or nothing is there. Otherwise `why` completes the
 * sentence "PATH: ..." and the result is EXIT_USAGE (something else is there, or it cannot be read), or EXIT_INTERNAL
 * (memory is short). */
int output_may_replace(const char *path, output_kind kind, char why[OUTPUT_WHY_MAX]);

#endif
