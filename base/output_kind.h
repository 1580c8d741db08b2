/* SPDX-License-Identifier: MIT
 *
 * The kinds of files that the program writes. An output may only replace a file of its own kind, or
 * an empty one. */
#ifndef DOWNHILL_BASE_OUTPUT_KIND_H
#define DOWNHILL_BASE_OUTPUT_KIND_H

#include <jansson.h>

typedef enum output_kind {
    OUTPUT_NONE, /* none of these */
    OUTPUT_NEW,  /* never replaces a file: for names that the program chose */
    /* JSON, recognised by a member; the first of these that a document has determines its kind */
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
    OUTPUT_GALLERY_ENTRY,
    OUTPUT_PEERS,
    /* CSV, recognised by its first line */
    OUTPUT_PREDICTION_CSV,
    OUTPUT_LANDSCAPE_CSV,
    OUTPUT_STEP_SWEEP_CSV,
    /* NPZ, recognised by its record.json */
    OUTPUT_MODEL,
    OUTPUT_CHECKPOINT,
    OUTPUT_KIND_COUNT
} output_kind;

enum { OUTPUT_WHY_MAX = 256 };

/* Returns the kind of results in a document, or OUTPUT_NONE if it has no member that marks a
 * kind. */
output_kind output_kind_of_json(const json_t *root);

/* Returns EXIT_OK if `path` does not exist or a file of `kind` may replace it. Otherwise sets
 * `why`, which completes "PATH: ...", and returns EXIT_USAGE (a file of another kind, or
 * unreadable) or EXIT_INTERNAL (out of memory). */
int output_may_replace(const char *path, output_kind kind, char why[OUTPUT_WHY_MAX]);

#endif
