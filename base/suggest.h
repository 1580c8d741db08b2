/* SPDX-License-Identifier: MIT
 *
 * The word that was probably meant, for messages about one that is not known. */
#ifndef DOWNHILL_BASE_SUGGEST_H
#define DOWNHILL_BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_MAX = 64, SUGGEST_TEXT_MAX = 96 };

/* Words to choose from. */
typedef struct suggest_words {
    size_t count;
    const char *words[SUGGEST_MAX];
} suggest_words;

/* Returns the word of the list that `word` is another name for, or a misspelling of, in whatever case, or NULL. */
const char *suggest(const char *word, const suggest_words *from);

/* Writes " (did you mean PREFIXword?)" or nothing. Returns `text`. */
const char *suggest_text(const char *given, const suggest_words *from, const char *prefix,
                         char text[SUGGEST_TEXT_MAX]);

#endif
