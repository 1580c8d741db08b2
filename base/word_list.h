/* SPDX-License-Identifier: MIT
 *
 * Lists of words in one string, with a separator between them. */
#ifndef DOWNHILL_BASE_WORD_LIST_H
#define DOWNHILL_BASE_WORD_LIST_H

#include <stdbool.h>
#include <string.h>

/* Returns whether the list contains `word`. */
static inline bool word_list_has(const char *list, char separator, const char *word)
{
    const char ends[] = {separator, '\0'};
    const size_t length = strlen(word);
    for (const char *at = list;; at++) {
        const size_t of_word = strcspn(at, ends);
        if (of_word == length && strncmp(at, word, length) == 0)
            return true;
        at += of_word;
        if (*at == '\0')
            return false;
    }
}

#endif
