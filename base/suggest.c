/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH_MAX = 32 };

/* Names that other programs use. One may map to several of ours; the first that is valid wins. */
static const struct {
    const char *theirs, *ours;
} synonyms[] = {
    /* options */
    {"learning-rate", "lr"},
    {"learning_rate", "lr"},
    {"eta", "lr"},
    {"eta0", "lr"},
    {"step-size", "lr"},
    {"batch-size", "batch"},
    {"batch_size", "batch"},
    {"minibatch", "batch"},
    {"l2", "reg"},
    {"lambda", "reg"},
    {"alpha", "reg"},
    {"penalty", "reg"},
    {"weight-decay", "reg"},
    {"weight_decay", "reg"},
    {"normalisation", "normalize"},
    {"normalization", "normalize"},
    {"margin", "delta"},
    {"max-iter", "epochs"},
    {"max_iter", "epochs"},
    {"num-epochs", "epochs"},
    {"early-stopping", "patience"},
    {"random-state", "seed"},
    {"random-seed", "seed"},
    {"jobs", "threads"},
    {"n-jobs", "threads"},
    {"n_jobs", "threads"},
    {"workers", "threads"},
    {"dataset", "data"},
    {"input", "data"},
    {"output", "csv"},
    {"output", "model"},
    {"output", "json"},
    {"out", "output"},
    {"out", "csv"},
    {"out", "model"},
    {"out", "json"},
    {"save", "model"},
    {"load", "resume"},
    {"load", "model"},
    {"continue", "resume"},
    {"algorithm", "method"},
    {"optimizer", "method"},
    {"optimiser", "method"},
    {"solver", "method"},
    {"objective", "loss"},
    {"criterion", "loss"},
    {"simd", "isa"},
    {"arch", "isa"},
    {"level", "isa"},
    {"kernel", "filter"},
    {"size", "shape"},
    /* values */
    {"svm", "hinge"},
    {"cross-entropy", "softmax"},
    {"logistic", "softmax"},
    {"float", "f32"},
    {"float32", "f32"},
    {"byte", "u8"},
    {"uint8", "u8"},
    {"mnist", "fashion-mnist"},
    {"svm", "libsvm"},
    {"svmlight", "libsvm"},
    /* commands */
    {"fit", "train"},
    {"evaluate", "predict"},
    {"test", "predict"},
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Returns the number of insertions, deletions, replacements and swaps of neighbours that turn
 * `a` into `b` (Damerau and Levenshtein, no substring edited twice). Both have at most
 * LENGTH_MAX characters. */
static size_t distance(const char *a, const char *b)
{
    size_t d[LENGTH_MAX + 1][LENGTH_MAX + 1];
    const size_t n = strlen(a), m = strlen(b);
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            const size_t edited = min_size(d[i - 1][j], d[i][j - 1]) + 1;
            d[i][j] = min_size(edited, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min_size(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

static const char *find(const char *word, const suggest_words *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (strcmp(word, from->words[i]) == 0)
            return from->words[i];
    return NULL;
}

/* Returns a word that is a prefix of `given` or the reverse: bench for "benchmark". */
static const char *find_longer_or_shorter(const char *given, const suggest_words *from)
{
    enum { COMMON_MIN = 3 };
    for (size_t i = 0; i < from->count; i++) {
        const size_t common = min_size(strlen(given), strlen(from->words[i]));
        if (common >= COMMON_MIN && strncmp(given, from->words[i], common) == 0)
            return from->words[i];
    }
    return NULL;
}

const char *suggest(const char *word, const suggest_words *from)
{
    char given[LENGTH_MAX +
               2]; /* in lower case, like all words; one extra byte detects a longer word */
    size_t length = 0;
    const char *best = NULL;
    for (; word[length] != '\0' && length <= LENGTH_MAX; length++)
        given[length] = (char)tolower((unsigned char)word[length]);
    given[length] = '\0';
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++)
        if (strcmp(given, synonyms[i].theirs) == 0 && find(synonyms[i].ours, from) != NULL)
            return find(synonyms[i].ours, from);
    if (length < 2 || length > LENGTH_MAX)
        return NULL;
    size_t min = (length + 1) / 3 + 1; /* as many edits or more: an unrelated word */
    for (size_t i = 0; i < from->count; i++) {
        if (strlen(from->words[i]) > LENGTH_MAX)
            continue;
        const size_t edits = distance(given, from->words[i]);
        if (edits < min && edits < length && edits < strlen(from->words[i])) {
            best = from->words[i];
            min = edits;
        }
    }
    return best != NULL ? best : find_longer_or_shorter(given, from);
}

const char *suggest_text(const char *given, const suggest_words *from, const char *prefix,
                         char text[SUGGEST_TEXT_MAX])
{
    const char *meant = suggest(given, from);
    text[0] = '\0';
    if (meant != NULL)
        snprintf(text, SUGGEST_TEXT_MAX, " (did you mean %s%s?)", prefix, meant);
    return text;
}
