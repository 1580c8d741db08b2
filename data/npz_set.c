/* SPDX-License-Identifier: MIT
 *
 * Reads data sets in NPZ files, and finds out which arrays are features and which are labels. */
#define _GNU_SOURCE
#include "base/error.h"
#include "npz.h"
#include "pairs.h"
#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Array names found automatically, in order of preference: those of Keras and other published sets,
 * then those commonly used with numpy.savez(). */
static const char *const known[][PAIR_PARTS] = {
    {"x_train", "y_train", "x_test", "y_test"},
    {"X_train", "y_train", "X_test", "y_test"},
    {"train_images", "train_labels", "test_images", "test_labels"},
    {"train_x", "train_y", "test_x", "test_y"},
    {"X", "y", "X_test", "y_test"},
    {"x", "y", "x_test", "y_test"},
    {"X", "Y", "X_test", "Y_test"},
    {"data", "labels", "test_data", "test_labels"},
    {"data", "target", "test_data", "test_target"},
    {"images", "labels", "test_images", "test_labels"},
    {"features", "labels", "test_features", "test_labels"},
    {"arr_0", "arr_1", "arr_2", "arr_3"},
};

enum { N_KNOWN = sizeof known / sizeof known[0] };

static int refuse_names(const char *path, const npz *file, const char *problem)
{
    char list[512];
    npz_list(file, list, sizeof list);
    error_line("%s: %s; it has %s; name those to read: "
               "npz:%s,FEATURES,LABELS[,TEST_FEATURES,TEST_LABELS]",
               path, problem, list, path);
    return EXIT_DATA;
}

/* Returns 0 if the features are missing, else a rank that grows with the labels that are present.
 * Every command that reads a file with labels must choose the same names. */
static int rank_of(const npz *file, const char *const names[PAIR_PARTS])
{
    if (!npz_has(file, names[PAIR_FEATURES]))
        return 0;
    if (npz_has(file, names[PAIR_LABELS]))
        return 3;
    const bool test =
        npz_has(file, names[PAIR_TEST_FEATURES]) && npz_has(file, names[PAIR_TEST_LABELS]);
    return test ? 2 : 1;
}

/* Selects the arrays of one set, if the archive has them and they can be used. */
static int take_known(const char *path, const npz *file, const char *const names[2], dataset *data,
                      npy_place parts[2])
{
    const bool labelled = npz_has(file, names[1]), optional = data->use.labels_optional;
    if (!npz_has(file, names[0]))
        return EXIT_OK;
    if (labelled || optional)
        parts[0] = (npy_place){path, names[0]};
    if (labelled)
        parts[1] = (npy_place){path, names[1]};
    else if (!dataset_note(data, "%s: %s is %s: it has no labels named %s", path, names[0],
                           optional ? "taken without labels" : "not read", names[1])) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    return EXIT_OK;
}

static int find_known(const char *path, const npz *file, dataset *data, npy_place parts[PAIR_PARTS])
{
    const char *const *best = NULL;
    int best_rank = data->use.labels_optional ? 0 : 2;
    for (size_t k = 0; k < N_KNOWN; k++) {
        const int rank = rank_of(file, known[k]);
        if (rank > best_rank) {
            best_rank = rank;
            best = known[k];
        }
    }
    if (best == NULL)
        return refuse_names(path, file,
                            "no arrays named X and y, x_train and y_train, or the like");
    const int code = take_known(path, file, best, data, parts);
    return code != EXIT_OK ? code
                           : take_known(path, file, best + PAIR_TEST_FEATURES, data,
                                        parts + PAIR_TEST_FEATURES);
}

static int take_given(const char *path, const npz *file, const char *const *names, size_t count,
                      npy_place parts[PAIR_PARTS])
{
    char problem[128];
    for (size_t i = 0; i < count; i++) {
        parts[i] = (npy_place){path, names[i]};
        if (npz_has(file, names[i]))
            continue;
        snprintf(problem, sizeof problem, "no array named '%.60s'", names[i]);
        return refuse_names(path, file, problem);
    }
    return EXIT_OK;
}

static int read_parts(const char *const *words, size_t count, bool mapped, dataset *data)
{
    static const pair_format format = {"npz", "X", "Y", false, npy_features, npy_labels};
    npy_place parts[PAIR_PARTS] = {{0}};
    npz *file;
    int code = npz_open(words[0], NULL, &file);
    if (code != EXIT_OK)
        return code;
    code = count == 1 ? find_known(words[0], file, data, parts)
                      : take_given(words[0], file, words + 1, count - 1, parts);
    npz_close(file);
    return code == EXIT_OK ? pairs_read(&format, parts, mapped, data) : code;
}

int read_npz(const char *files, bool mapped, dataset *data)
{
    char *copy = strdup(files);
    if (copy == NULL) {
        error_line("--data: out of memory");
        return EXIT_INTERNAL;
    }
    const char *words[1 + PAIR_PARTS] = {NULL};
    size_t count = 0;
    char *rest = copy;
    for (const char *word; (word = strsep(&rest, ",")) != NULL; count++)
        if (count < 1 + PAIR_PARTS)
            words[count] = word;
    int code;
    if (count != 1 && !pairs_may_be(count - 1, data)) {
        error_line("--data: 'npz:%s' names %zu array%s; give npz:FILE or "
                   "npz:FILE,FEATURES,LABELS[,TEST_FEATURES,TEST_LABELS]",
                   files, count - 1, count == 2 ? "" : "s");
        code = EXIT_USAGE;
    } else {
        code = read_parts(words, count, mapped, data);
    }
    free(copy);
    return code;
}
