/* SPDX-License-Identifier: MIT
 *
 * Suggestions for messages about an unknown word: "did you mean ...?". */
#ifndef DOWNHILL_BASE_SUGGEST_H
#define DOWNHILL_BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_MAX = 64, SUGGEST_TEXT_MAX = 96 };

/* The valid words. */
typedef struct suggest_words {
    size_t count;
    const char *words[SUGGEST_MAX];
} suggest_words;

/* Returns the valid word that `word` is a synonym or a misspelling of, ignoring case, or NULL. */
const char *suggest(const char *word, const suggest_words *from);

/* Writes " (did you mean PREFIXword?)", or "" if there is no suggestion. Returns `text`. */
const char *suggest_text(const char *given, const suggest_words *from, const char *prefix,
                         char text[SUGGEST_TEXT_MAX]);

#endif
